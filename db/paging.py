"""One page of a list, by the key of the last row already seen."""

from collections.abc import Callable
from typing import Generic, Literal, NamedTuple, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")
Key = TypeVar("Key", str, int)
Order = Literal["asc", "desc"]


class Page(NamedTuple, Generic[Row, Key]):
    """Rows, and the key to pass as `cursor` for the rows after them (null: there are none)."""

    rows: list[Row]
    next_cursor: Key | None

    @property
    def has_more(self) -> bool:
        """Whether rows follow."""
        return self.next_cursor is not None


def fetch_page(
    session: Session,
    statement: Select[Row],
    key: InstrumentedAttribute[Key],
    key_of: Callable[[Row], Key],
    *,
    limit: int,
    cursor: Key | None,
    order: Order,
) -> Page[Row, Key]:
    """At most `limit` rows of `statement` beyond `cursor`, in the order of `key`."""
    if cursor is not None:
        statement = statement.where(key > cursor if order == "asc" else key < cursor)
    statement = statement.order_by(key.asc() if order == "asc" else key.desc()).limit(limit + 1)
    rows = list(session.scalars(statement))
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, key_of(rows[-1]) if more else None)
