"""What connections that send no request, or never end one, cost everybody else.

    python -m benchmarks.hostile_load [--url URL | --port PORT] [--connections 2000] [--requests 400]
                                      [--drip-seconds 1]

Prints, and with --json FILE saves, how long requests of an honest client take: alone, beside connections that
say nothing, and beside as many that send a header now and then, and bodies a byte at a time. What counts is
the ratio of the 99th percentiles; the promise is at most 2.
"""

import argparse
import json
import multiprocessing
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.machine import describe_machine
from benchmarks.service import open_service
from db.process_limits import allow_open_files

PAUSE_SECONDS = 0.02
"""Between two requests of the honest client: many requests at once are another question."""
PROMISED_RATIO = 2.0
SILENT = b""
HALF_A_HEAD = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n"
HALF_A_BODY = (
    b"POST /classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n{"
)
DRIPS = {SILENT: b"", HALF_A_HEAD: b"A: b\r\n", HALF_A_BODY: b" "}


def main() -> int:
    """Measure; exit status 1 when the promise isn't kept."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url")
    parser.add_argument("--port", type=int)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument(
        "--drip-seconds",
        type=float,
        default=1.0,
        help="between two pieces of one connection; those of all are spread evenly",
    )
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    allow_open_files()
    with open_service(given.url, given.port) as client:
        url = client.base_url
        alone = _p99_milliseconds(url, given.requests)
        with _held(url, given.connections, [SILENT], given.drip_seconds):
            idle = _p99_milliseconds(url, given.requests)
        with _held(url, given.connections, [HALF_A_HEAD, HALF_A_BODY], given.drip_seconds):
            slow = _p99_milliseconds(url, given.requests)
    found = {
        "connections": given.connections,
        "drip_seconds": given.drip_seconds,
        "p99_milliseconds": {"alone": alone, "beside idle ones": idle, "beside slow ones": slow},
        "ratio": {"beside idle ones": round(idle / alone, 2), "beside slow ones": round(slow / alone, 2)},
        "machine": describe_machine(),
    }
    print(json.dumps(found, indent=2))
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if max(idle, slow) <= PROMISED_RATIO * alone else 1


def _p99_milliseconds(url: str, num_requests: int) -> float:
    """Of the times that so many requests take, one after the other."""
    seconds = []
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for _ in range(num_requests):
            started = time.perf_counter()
            client.get("/models").raise_for_status()
            seconds.append(time.perf_counter() - started)
            time.sleep(PAUSE_SECONDS)
    return round(1000 * statistics.quantiles(seconds, n=100)[98], 2)


@contextmanager
def _held(url: str, num_connections: int, starts: list[bytes], drip_seconds: float) -> Iterator[None]:
    """Connections of another process that have begun with one of `starts` each and go on with its drip.

    Those that are closed are opened again, as whoever means harm would.
    """
    address = urlsplit(url)
    context = multiprocessing.get_context("spawn")
    begun, stopping = context.Event(), context.Event()
    target = (str(address.hostname), int(address.port or 80))
    process = context.Process(
        target=_hold, args=(target, num_connections, starts, drip_seconds, begun, stopping)
    )
    process.start()
    try:
        begun.wait()
        yield
    finally:
        stopping.set()
        process.join()


def _hold(
    target: tuple[str, int],
    num_connections: int,
    starts: list[bytes],
    drip_seconds: float,
    begun: Event,
    stopping: Event,
) -> None:
    allow_open_files()
    opened = [_opened(target, starts[number % len(starts)]) for number in range(num_connections)]
    begun.set()
    number = 0
    while not stopping.wait(drip_seconds / num_connections):
        connection, start = opened[number], starts[number % len(starts)]
        if connection is None or not _goes_on(connection, DRIPS[start]):
            opened[number] = _opened(target, start)
        number = (number + 1) % num_connections
    for connection in opened:
        if connection is not None:
            connection.close()


def _opened(target: tuple[str, int], start: bytes) -> socket.socket | None:
    with suppress(OSError):
        connection = socket.create_connection(target, timeout=10)
        connection.sendall(start)
        connection.setblocking(False)
        return connection
    return None


def _goes_on(connection: socket.socket, drip: bytes) -> bool:
    """Send one more piece; False, and it is closed, where the other end has answered or gone."""
    try:
        connection.send(drip)
        connection.recv(4096)
    except BlockingIOError:
        return True
    except OSError:
        connection.close()
        return False
    connection.close()
    return False


if __name__ == "__main__":
    sys.exit(main())
