"""Lists by page: `limit`, `cursor`, `order`, and the envelope `{data, has_more, next_cursor}`."""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Generic, Literal, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from api.errors import invalid
from db import paging

Item = TypeVar("Item")
Row = TypeVar("Row")
Key = TypeVar("Key", str, int)
Order = Literal["asc", "desc"]

Limit = Annotated[int, Query(ge=1, le=500, description="Items per page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=500, description="`next_cursor` of the page before; leave it out for the first."),
]
NewestFirst = Annotated[Order, Query(description="`desc`: newest first; `asc`: oldest first.")]


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    data: list[Item] = Field(description="The items of this page.")
    has_more: bool = Field(description="Whether there are items after this page.")
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


def encode_cursor(key: str | int) -> str:
    """The opaque form of the last item's key."""
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> str | None:
    """The key inside `cursor`; None for the first page. Raises 422 for a cursor that isn't one of ours."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError):
        raise _not_a_cursor() from None
    if not key.isprintable() or not key:
        raise _not_a_cursor()
    return key


def decode_number_cursor(cursor: str | None) -> int | None:
    """The same where the key is a number from 0."""
    key = decode_cursor(cursor)
    if key is None:
        return None
    if not key.isdecimal() or len(key) > 18:
        raise _not_a_cursor()
    return int(key)


def page_of(page: paging.Page[Row, Key], item_of: Callable[[Row], Item]) -> Page[Item]:
    """The envelope for a page of rows."""
    cursor = encode_cursor(page.next_cursor) if page.next_cursor is not None else None
    return Page(data=[item_of(row) for row in page.rows], has_more=page.has_more, next_cursor=cursor)


def _not_a_cursor() -> Exception:
    return invalid(("query", "cursor"), "the next_cursor of a page of this list", "something else")
