"""A request whose body stops half-way, so that it is in flight for as long as a test wants."""

import json
import socket
from http.client import HTTPResponse
from typing import Any, Self
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 30.0


class HalfSentRequest:
    """A POST whose body the application has begun to read, half of it sent; a context manager.

    Args:
        url: of the server, without a path.
    """

    def __init__(self, url: str, path: str, content_type: str, body: bytes) -> None:
        address = urlsplit(url)
        self._rest = body[len(body) // 2 :]
        self._socket = socket.create_connection((address.hostname, address.port), timeout=_TIMEOUT_SECONDS)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        # the server says so when the application asks for the body, not before
        interim = self._socket.recv(1000)
        assert interim.startswith(b"HTTP/1.1 100"), interim
        self._socket.sendall(body[: len(body) // 2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def finish(self) -> tuple[int, Any]:
        """Send the rest; returns the answer's status and what its JSON says."""
        self._socket.sendall(self._rest)
        response = HTTPResponse(self._socket, method="POST")
        response.begin()
        return response.status, json.loads(response.read())
