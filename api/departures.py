"""Clients that leave before they are answered: what they asked for is not worked on any longer."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

CLIENT_GONE = 499
"""What the answer that nobody reads is counted as; nginx's number for it."""


async def unless_gone(connection: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """The response that `work` makes; it is cancelled when the client goes away.

    Args:
        connection: whose body has been read to its end.
        work: what was asked for.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_until_gone(connection))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        return Response(status_code=CLIENT_GONE)
    finally:
        for task in (working, leaving):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(working, leaving, return_exceptions=True)


async def _until_gone(connection: Request) -> None:
    while (await connection.receive())["type"] != "http.disconnect":
        pass
