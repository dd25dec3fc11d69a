"""Following a list's cursors."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from client.answers import Page

Item = TypeVar("Item")


async def iterate_pages(fetch: Callable[[str | None], Awaitable[Page[Item]]]) -> AsyncIterator[Item]:
    """Every item of a list, one request per page, asked for when it is needed.

    Args:
        fetch: cursor of the page (None: the first) → the page.
    """
    cursor: str | None = None
    while True:
        page = await fetch(cursor)
        for item in page["data"]:
            yield item
        cursor = page["next_cursor"]
        if not page["has_more"] or cursor is None:
            return
