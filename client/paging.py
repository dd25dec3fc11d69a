# Made from client/aio/paging.py by `make client`; edit that one.
"""Following a list's cursors."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from client.answers import Page

Item = TypeVar("Item")


def iterate_pages(fetch: Callable[[str | None], Page[Item]]) -> Iterator[Item]:
    """Every item of a list, one request per page, asked for when it is needed.

    Args:
        fetch: cursor of the page (None: the first) → the page.
    """
    cursor: str | None = None
    while True:
        page = fetch(cursor)
        yield from page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"] or cursor is None:
            return
