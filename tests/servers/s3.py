"""An object store that speaks the S3 protocol: moto's server, as a process of its own."""

import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cli.service import until

_START_SECONDS = 60.0
_COMMAND = (sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1")
# it tells services apart by what a request is signed for
_ANONYMOUS = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}


class S3Server:
    """A running server.

    Args:
        port: on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            # nothing of the machine's own configuration
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        """What a process needs to find it and be let in."""

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        self.send("PUT", f"/{name}")

    def keys(self, bucket: str) -> list[str]:
        """Every key in a bucket, of at most 1000."""
        return re.findall("<Key>([^<]+)</Key>", self.send("GET", f"/{bucket}").decode())

    def check_credentials(self, wanted: bool) -> None:
        """Whether it refuses those it doesn't know, which are all."""
        self.send("POST", "/moto-api/reset-auth", b"0" if wanted else b"inf")

    def send(self, method: str, path: str, body: bytes = b"") -> bytes:
        """A request of another client; returns the answer's body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, _ANONYMOUS)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        assert response.status in (200, 204), (method, path, response.status)
        return answer


@contextmanager
def running_s3(log: Path) -> Iterator[S3Server]:
    """A server on a free port, ended with the block."""
    port = free_port()
    with log.open("wb") as stream:
        process = subprocess.Popen([*_COMMAND, "-p", str(port)], stdout=stream, stderr=stream)
    try:
        until(lambda: _answers(process, port, log), _START_SECONDS)
        yield S3Server(port)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables within the block, also of processes started there."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    assert process.poll() is None, log.read_text(errors="replace")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5):
            return True
    except OSError:
        return False
