"""The pages in a real Chromium: first paint, an experiment of 100,000 values, and what open pages cost.

python -m benchmarks.pages
"""

import argparse
import json
import time
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.machine import describe_machine
from benchmarks.metrics_service import MetricsService, running_service
from db import claims
from db.metrics import NewMetric
from db.session import Database
from tests.web.browser import find_chromium

NUM_VALUES = 100_000
NUM_PAGES = 20
WATCH_SECONDS = 30.0
BATCH = 5_000
CORPUS = b"".join(
    json.dumps({"text": f"A text of {source}.", "source": source}).encode() + b"\n" for source in ("a", "b")
)
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def make_experiment(service: MetricsService) -> str:
    """A running experiment with a curve of `NUM_VALUES` values; returns its id."""
    with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client:
        client.post(
            "/datasets", data={"name": "two"}, files={"file": ("two.jsonl", CORPUS)}
        ).raise_for_status()
        made: str = client.post("/experiments", json={"kind": "train", "dataset": "two"}).json()["id"]
    database = Database(service.settings.require_database_url())
    with database.session() as session:
        claim = claims.claim(session, made, "benchmark", 3600)
    assert claim is not None
    for start in range(0, NUM_VALUES, BATCH):
        values = [
            NewMetric(name="train/loss", value=1 / (1 + step / 1000), step=step, split="train")
            for step in range(start, start + BATCH)
        ]
        with database.session() as session:
            claims.record(session, claim, progress=None, new_metrics=values, dataset="two")
    database.close()
    return made


def first_paint_ms(browser: Browser, url: str) -> float:
    """Milliseconds to the first content of the first page, in a fresh profile."""
    with browser.new_page() as page:
        page.goto(f"{url}/", wait_until="load")
        page.wait_for_function(f"{PAINT} !== undefined")
        return float(page.evaluate(PAINT))


def chart_seconds(browser: Browser, url: str, experiment: str) -> float:
    """Seconds until the curve of the long experiment is drawn."""
    with browser.new_page() as page:
        started = time.perf_counter()
        page.goto(f"{url}/#/experiments/{experiment}")
        page.locator(".scatterlayer path.js-line").first.wait_for(state="attached")
        return time.perf_counter() - started


def share_of_cpu(browser: Browser, url: str, experiment: str, process: psutil.Process) -> float:
    """CPU seconds of the API per second: half of the pages show the list, half the running experiment."""
    pages = [browser.new_page() for _ in range(NUM_PAGES)]
    for number, page in enumerate(pages):
        page.goto(f"{url}/#/experiments" + (f"/{experiment}" if number % 2 else ""))
        page.locator("main h1").first.wait_for()
    time.sleep(5)  # until all have drawn what there is
    before, started = process.cpu_times(), time.perf_counter()
    time.sleep(WATCH_SECONDS)
    after, seconds = process.cpu_times(), time.perf_counter() - started
    for page in pages:
        page.close()
    return (after.user + after.system - before.user - before.system) / seconds


def serving(url: str) -> psutil.Process:
    """The process that listens at `url`."""
    port = httpx.URL(url).port
    return next(
        psutil.Process(each.pid)
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
        and each.laddr
        and each.laddr.port == port
        and each.pid is not None
    )


def main() -> None:
    """Measure, print, and write the JSON where asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="where the numbers are written")
    arguments = parser.parse_args()
    with running_service(None) as service, sync_playwright() as playwright:
        experiment = make_experiment(service)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        found = {
            "first_paint_ms": first_paint_ms(browser, service.url),
            "chart_seconds": chart_seconds(browser, service.url, experiment),
            "cpu_share_of_20_pages": share_of_cpu(browser, service.url, experiment, serving(service.url)),
            "machine": describe_machine(),
        }
        browser.close()
    print(json.dumps(found, indent=1))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
