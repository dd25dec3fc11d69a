"""Bodies that are too long or too slow are refused before they are parsed, whatever their headers say."""

import asyncio
import time
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_handlers import problem_response
from api.errors import BodyTooLargeError, BodyTooSlowError
from db.settings import Settings

UPLOAD_PATHS = frozenset({"/datasets"})
_CLOSE = {"Connection": "close"}


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """What a body may be."""

    max_bytes: int
    """Of any path."""
    max_upload_bytes: int
    """Of the paths that take a corpus file."""
    grace_seconds: float
    """How long a body may be waited for, however slow it is."""
    bytes_per_second: int
    """How fast it has to come after that, on the average."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "BodyLimits":
        """The limits the settings name."""
        return cls(
            settings.max_body_bytes,
            settings.max_upload_bytes,
            settings.body_grace_seconds,
            settings.min_body_bytes_per_second,
        )

    def of(self, scope: Scope) -> int:
        """Bytes that the body of this request may have."""
        is_upload = scope["path"].rstrip("/") in UPLOAD_PATHS and Headers(scope=scope).get(
            "content-type", ""
        ).startswith("multipart/form-data")
        return self.max_upload_bytes if is_upload else self.max_bytes


class BodyLimitMiddleware:
    """Counts the bytes of the request body as they arrive, and the time it waits for them.

    A Content-Length above the limit is answered at once, with or without a key; otherwise the limit is
    enforced while reading, so that chunked bodies of unstated length are held to it as well.
    """

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(receive, self.limits.of(scope), self.limits)
        stated = Headers(scope=scope).get("content-length", "")
        if stated.isdecimal() and int(stated[:20]) > body.max_bytes:
            answer = problem_response(body.too_large(), scope["state"].get("request_id"), scope["path"])
            await answer(scope, receive, send)
            return
        await self.app(scope, body.receive, send)


class _Body:
    """One request's body while it arrives."""

    def __init__(self, receive: Receive, max_bytes: int, limits: BodyLimits) -> None:
        self.max_bytes = max_bytes
        self._receive = receive
        self._limits = limits
        self._num_bytes = 0
        self._waited_seconds = 0.0
        self._is_complete = False

    async def receive(self) -> Message:
        """The next part, or word that the client has gone; raises the error to be answered."""
        if self._is_complete:
            return await self._receive()
        message = await self._wait()
        if message["type"] == "http.request":
            self._num_bytes += len(message.get("body", b""))
            if self._num_bytes > self.max_bytes:
                raise self.too_large()
            self._is_complete = not message.get("more_body", False)
        return message

    def too_large(self) -> BodyTooLargeError:
        """The answer to a body over the limit."""
        return BodyTooLargeError(f"The body may have at most {self.max_bytes} bytes here.", headers=_CLOSE)

    async def _wait(self) -> Message:
        patience = self._limits.grace_seconds + self._num_bytes / self._limits.bytes_per_second
        started = time.monotonic()
        try:
            async with asyncio.timeout(patience - self._waited_seconds):
                return await self._receive()
        except TimeoutError:
            raise BodyTooSlowError(
                f"The body must come at {self._limits.bytes_per_second} bytes a second or faster; "
                f"{self._num_bytes} bytes have come.",
                headers=_CLOSE,
            ) from None
        finally:
            self._waited_seconds += time.monotonic() - started
