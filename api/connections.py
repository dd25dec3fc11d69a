"""Connections of the HTTP server: one that sends no request, or the half or too much of one, doesn't stay.

What is no request reaches no route; it is answered here, in the form of every other error.
"""

import asyncio
from asyncio.events import TimerHandle
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.error_handlers import problem_response
from api.errors import ApiError, HeadTooLargeError, MalformedRequestError

REQUEST_SECONDS = 15.0
"""How long the head of a request may take; its body has a limit of its own (`api.body_limit`)."""
MAX_HEAD_BYTES = 64 * 1024


class ImpatientProtocol(HttpToolsProtocol):
    """Closes a connection on which no request has begun to be answered for `REQUEST_SECONDS`, or whose head
    is longer than `MAX_HEAD_BYTES`.

    Between two requests of one connection the server's own, shorter limit holds until the second begins.
    """

    _timer: TimerHandle | None = None
    _num_bytes = 0
    """That have come since a head is waited for."""
    _head_bytes = 0
    """Of the head, as far as it could be read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Read on; while no whole head of a request has come, go on waiting for it."""
        super().data_received(data)
        if self._is_answering():
            self._stop_waiting()
            return
        if self._timer is None:
            self._wait()
        self._num_bytes += len(data)
        if self._num_bytes > MAX_HEAD_BYTES:
            self._refuse(_too_large())

    def on_message_begin(self) -> None:
        """Count anew."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the first line."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(name + value)
        super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or too much of it."""
        is_long = self._head_bytes > MAX_HEAD_BYTES
        self._refuse(_too_large() if is_long else MalformedRequestError("What was sent is not HTTP/1.1."))

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nothing to wait for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _count(self, read: bytes) -> None:
        self._head_bytes += len(read)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise ValueError  # the parser stops, and the server's own handling calls send_400_response

    def _refuse(self, error: ApiError) -> None:
        if self.transport.is_closing():
            return
        if not (self._is_answering() and self.cycle.response_started):
            response = problem_response(error, None, "")
            lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}".encode()]
            lines += [name + b": " + value for name, value in response.raw_headers]
            self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)]))
        self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._timer = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        self._num_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self._is_answering() and not self.transport.is_closing():
            self.transport.close()


def _too_large() -> HeadTooLargeError:
    return HeadTooLargeError(f"The request's first line and headers may have {MAX_HEAD_BYTES} bytes.")
