"""Promise 13: a body without end costs the server a bounded piece of memory, with a key or without one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from db.settings import Settings
from tests.cli.service import RunningService, running_service

SENT_BYTES = 512 * 1024**2
"""As much as is tried; a server that takes it all would be seen to."""
COST_BYTES = 50 * 1024**2
CHUNK = b"10000\r\n" + (b"x" * 63 + b"\n") * 0x400 + b"\r\n"
START = b'{"input": "'
LOST = 0
"""Stands for an answer that was lost with the connection: the client was still sending."""


@pytest.fixture
def service(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningService]:
    """`sip serve` on the test's servers, without a worker."""
    monkeypatch.setenv("SIP_DATABASE_URL", settings.require_database_url())
    monkeypatch.setenv("SIP_BROKER_URL", settings.require_broker_url())
    monkeypatch.setenv("SIP_DEVICE", "cpu")
    with running_service(settings.data_dir, "--workers", "0") as service:
        yield service


def send_without_end(
    url: str, path: str, *headers: str, start: bytes = START, end: bytes = b""
) -> tuple[int, int]:
    """Send a chunked body until it is refused, or `SENT_BYTES` are out; returns the answer's status and how
    much went out."""
    address = urlsplit(url)
    head = "\r\n".join(
        [f"POST {path} HTTP/1.1", f"Host: {address.netloc}", "Transfer-Encoding: chunked", *headers]
    )
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=60) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode())
        connection.sendall(f"{len(start):x}\r\n".encode() + start + b"\r\n")
        sent = 0
        with suppress(OSError):  # it hangs up, as it should; what it has said before can still be read
            while sent < SENT_BYTES:
                connection.sendall(CHUNK)
                sent += len(CHUNK)
            connection.sendall(f"{len(end):x}\r\n".encode() + end + b"\r\n0\r\n\r\n" if end else b"")
        try:
            answer = connection.recv(4096)
        except ConnectionResetError:
            return LOST, sent
    return int(answer.split()[1]), sent


@pytest.mark.parametrize("path", ["/classify", "/experiments", "/datasets"])
def test_a_chunked_body_without_end_is_refused_at_a_bounded_cost(service: RunningService, path: str) -> None:
    process = psutil.Process(service.process.pid)
    send_without_end(service.url, path, "Content-Type: application/json")  # from here on all is imported
    before = process.memory_info().rss
    peak = 0
    for _ in range(3):
        status, sent = send_without_end(service.url, path, "Content-Type: application/json")
        assert status in (413, LOST)
        assert sent < SENT_BYTES / 2
        peak = max(peak, process.memory_info().rss)
    assert peak - before < COST_BYTES


def test_an_upload_that_is_read_to_its_end_costs_no_more(service: RunningService) -> None:
    process = psutil.Process(service.process.pid)
    form = "Content-Type: multipart/form-data; boundary=b"
    part = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
    start = part % (b"name", b"") + b"endless\r\n" + part % (b"file", b'; filename="c.jsonl"')
    upload = httpx.post(f"{service.url}/datasets", data={"name": "x"}, files={"file": ("c.jsonl", b"x")})
    assert upload.status_code == 422  # from here on all is imported
    before, peak, done = process.memory_info().rss, 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        status, sent = send_without_end(service.url, "/datasets", form, start=start, end=b"\r\n--b--\r\n")
    finally:
        done.set()
        watcher.join()
    assert status == 422  # its first line is none of JSON
    assert sent >= SENT_BYTES
    assert peak - before < COST_BYTES
