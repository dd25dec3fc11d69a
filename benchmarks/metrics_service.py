"""The HTTP service on servers of its own, for benchmarks that also write to the database themselves.

As a program it is that service: it reads the settings from its standard input, and listens on the port given.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import uvicorn

from api.app import create_app
from cli.serve import base_url, listen
from db import migrate
from db.embedded import EmbeddedServers
from db.logs import set_up_logging
from db.settings import Settings

HOST = "127.0.0.1"
_START_SECONDS = 120.0


class MetricsService(NamedTuple):
    """A service that runs, and the settings it runs with."""

    url: str
    settings: Settings


@contextmanager
def running_service(folder: Path | None) -> Iterator[MetricsService]:
    """PostgreSQL, Redis and the HTTP service, in a temporary folder (inside `folder`, where one is given)."""
    with tempfile.TemporaryDirectory(prefix="sip-metrics-", dir=folder) as data:
        servers = EmbeddedServers(Path(data))
        try:
            urls = servers.start()
            migrate.upgrade(urls.database_url)
            settings = Settings(
                data_dir=Path(data),
                database_url=urls.database_url,
                broker_url=urls.broker_url,
                device="cpu",
                log_level="warning",
            )
            with _http(settings) as url:
                yield MetricsService(url, settings)
        finally:
            servers.stop()


@contextmanager
def _http(settings: Settings) -> Iterator[str]:
    with listen(HOST, 0) as listener:
        port: int = listener.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", __name__, str(port)], stdin=subprocess.PIPE)
    try:
        assert process.stdin is not None
        process.stdin.write(settings.model_dump_json().encode())
        process.stdin.close()
        _wait_until_live(base_url(HOST, port), process)
        yield base_url(HOST, port)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_live(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with httpx.Client(base_url=url, trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                client.get("/health/live").raise_for_status()
            except httpx.TransportError:
                time.sleep(0.1)  # it doesn't listen yet
            else:
                return
    raise TimeoutError(f"the service did not answer within {_START_SECONDS:g} s")


if __name__ == "__main__":
    settings = Settings.model_validate_json(sys.stdin.read())
    set_up_logging(settings, "api")
    uvicorn.run(create_app(settings), host=HOST, port=int(sys.argv[1]), log_level="warning")
