"""A service on loopback without keys answers this machine only: a guard against DNS rebinding."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.error_handlers import problem_response
from api.errors import ForbiddenError


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, brackets allowed) is this machine and nothing else."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


class LoopbackMiddleware:
    """Refuses requests that name another host, or come from a page of another host.

    A page in the user's browser can point its own name at 127.0.0.1; such a request arrives here with that
    name in `Host` and `Origin`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if not _names_loopback(f"//{headers.get('host', '')}"):
            wrong = "Host"
        elif origin is not None and not _names_loopback(origin):
            wrong = "Origin"
        else:
            await self.app(scope, receive, send)
            return
        error = ForbiddenError(f"{wrong}: expected localhost or a loopback address; found another host.")
        await problem_response(error, scope["state"].get("request_id"), scope["path"])(scope, receive, send)


def _names_loopback(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
