"""Oversized bodies are refused before they are parsed, whatever their Content-Length says."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_handlers import problem_response
from api.errors import BodyTooLargeError

UPLOAD_PATHS = frozenset({"/datasets"})


class BodyLimitMiddleware:
    """Counts the bytes of the request body as they arrive.

    A Content-Length above the limit is answered at once; otherwise the limit is enforced while reading, so
    that chunked bodies of unstated length are held to it as well.

    Args:
        app: the application inside.
        max_body_bytes: limit for every path.
        max_upload_bytes: limit for the paths that take a corpus file.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int, max_upload_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._limit(scope)
        error = BodyTooLargeError(
            f"The body may have at most {limit} bytes here.", headers={"Connection": "close"}
        )
        stated = Headers(scope=scope).get("content-length", "")
        if stated.isdecimal() and int(stated[:20]) > limit:
            await problem_response(error, scope["state"].get("request_id"), scope["path"])(
                scope, receive, send
            )
            return
        num_bytes = 0

        async def receive_counted() -> Message:
            nonlocal num_bytes
            message = await receive()
            if message["type"] == "http.request":
                num_bytes += len(message.get("body", b""))
                if num_bytes > limit:
                    raise error
            return message

        await self.app(scope, receive_counted, send)

    def _limit(self, scope: Scope) -> int:
        is_upload = scope["path"].rstrip("/") in UPLOAD_PATHS and Headers(scope=scope).get(
            "content-type", ""
        ).startswith("multipart/form-data")
        return self.max_upload_bytes if is_upload else self.max_body_bytes
