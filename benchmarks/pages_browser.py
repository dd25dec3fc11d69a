"""What a person at the pages waits for, in a real Chromium, each time in a fresh profile."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import psutil
from playwright.sync_api import Browser, Page

from benchmarks.cpu import CpuMeter

LINE = ".scatterlayer path.js-line"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
WAIT_MS = 300_000.0
"""A busy machine is waited for."""
BARE = b"<!doctype html><html lang=en><title>Bare</title><p>A page of one line."


class _BareHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """The same few bytes for every path."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(BARE)))
        self.end_headers()
        self.wfile.write(BARE)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is logged."""


@contextmanager
def bare_page() -> Iterator[str]:
    """Where a page of one line is served from, without style or script."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _BareHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class Took(NamedTuple):
    """What something took."""

    ms: float
    """By the clock."""
    cpu_seconds: float
    """Of browser and service together."""


def first_paint(browser: Browser, address: str, processes: Sequence[psutil.Process]) -> Took:
    """From the request to the first content on the screen."""
    with browser.new_page() as page:
        page.set_default_timeout(WAIT_MS)
        meter = CpuMeter(processes)
        page.goto(address, wait_until="load")
        page.wait_for_function(f"{PAINT} !== undefined")
        return Took(float(page.evaluate(PAINT)), meter.seconds())


def curve(browser: Browser, address: str, processes: Sequence[psutil.Process]) -> tuple[Took, Took]:
    """Until an experiment's curve is drawn; and from a move of the mouse to the value under it."""
    with browser.new_page(viewport={"width": 1280, "height": 900}) as page:
        page.set_default_timeout(WAIT_MS)
        meter = CpuMeter(processes)
        page.goto(address)
        page.locator(LINE).first.wait_for(state="attached")
        drawn = Took(float(page.evaluate("performance.now()")), meter.seconds())
        return drawn, _under_mouse(page, processes)


def _under_mouse(page: Page, processes: Sequence[psutil.Process]) -> Took:
    place = page.locator(".chart").first
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    # into the plot, then the move that counts
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.locator(".hoverlayer .legend text").first.wait_for(state="attached")
    before = page.locator(".hoverlayer").first.text_content()
    meter, started = CpuMeter(processes), time.perf_counter()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "before => document.querySelector('.hoverlayer')?.textContent !== before", arg=before, polling="raf"
    )
    return Took(1000 * (time.perf_counter() - started), meter.seconds())


@contextmanager
def open_pages(browser: Browser, addresses: list[str]) -> Iterator[None]:
    """Pages that stay open, each in a profile of its own, all drawn."""
    pages = [browser.new_page() for _ in addresses]
    try:
        for page, address in zip(pages, addresses, strict=True):
            page.set_default_timeout(WAIT_MS)
            page.goto(address)
            page.locator("main h1").first.wait_for()
        for page in pages:
            page.wait_for_load_state("networkidle")
        yield
    finally:
        for page in pages:
            page.close()
