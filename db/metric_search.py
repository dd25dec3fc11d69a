"""How a page of metric rows is found: with work that stays bounded, whatever the filter and the cursor.

What is filtered by belongs to the series, of which there are few, and the rows of a series lie together in
the index on (series, id). Rows are looked for in two ways. Reading on from the cursor finds a full page where
matching rows are frequent, and everything where few rows are left. Where they are rare, the first rows of
each matching series are read and put in order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Row,
    Select,
    case,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from db.tables import Metric, MetricSeries

_WINDOW_ROWS = 5_000
"""Rows read on from the cursor at a time."""
_HEAD_ROWS = 8_000
"""Rows read of all matching series together at a time."""
_ROUNDS = 4
"""Times that both ways are tried before a page is given that isn't full."""

Conditions = Sequence[ColumnElement[bool]]
"""What a series must be."""


class MetricRow(NamedTuple):
    """A measured value with what its series says of it."""

    id: int
    experiment_id: str
    name: str
    value: float | None
    step: int | None
    split: str | None
    layer: int | None
    seed: int | None
    backbone: str | None
    dataset: str | None
    recorded_at: datetime


class MetricPage(NamedTuple):
    """Rows in the order they became visible; pass `next_since` as `since` for the rows after them.

    Where matching rows are rare a page may be shorter than asked for although `has_more`, but not empty.
    """

    rows: list[MetricRow]
    next_since: int
    has_more: bool


class _Series(NamedTuple):
    """Matching series that have rows after a cursor."""

    ids: list[int]
    first: int
    """No row of them, or of another matching series, lies before this id."""
    end: int | None
    """From this id on rows of other matching series may lie; None: there are no others."""


def first_rows(session: Session, since: int, limit: int) -> MetricPage:
    """The first rows after `since`, whatever they are of."""
    return _page(_read(session, _with_series(_next_rows(since, limit + 1), ())), since, limit)


def matching_rows(session: Session, conditions: Conditions, since: int, limit: int) -> MetricPage:
    """The first rows after `since` of the series that `conditions` choose."""
    rows: list[MetricRow] = []
    cursor = since
    for rounds_left in reversed(range(_ROUNDS)):
        wanted = limit + 1 - len(rows)
        found, end = _read_on(session, conditions, cursor, wanted)
        rows += found
        if end is None or len(rows) > limit:
            return _page(rows, since, limit)
        cursor = end
        if rounds_left and len(found) > wanted // _ROUNDS:  # frequent enough to be read on
            continue
        series = _series_after(session, conditions, cursor, limit + 1 - len(rows))
        if not series.ids:
            return _page(rows, since, limit)
        cursor = max(cursor, series.first - 1)
        heads, end = _read_heads(session, series, cursor, limit + 1 - len(rows))
        rows += heads
        if end is None or len(rows) > limit:
            return _page(rows, since, limit)
        cursor = end
    return MetricPage(rows, cursor, has_more=True)


def newest_rows(session: Session, conditions: Conditions, since: int, limit: int) -> MetricPage:
    """The newest row of each series that `conditions` choose, where it lies after `since`."""
    newest = (
        select(MetricSeries.last_id)
        .where(MetricSeries.last_id > since, *conditions)
        .order_by(MetricSeries.last_id)
        .limit(limit + 1)
        .subquery("newest")
    )
    rows = select(Metric).join(newest, newest.c.last_id == Metric.id)
    return _page(_read(session, _with_series(rows, ())), since, limit)


def _page(rows: list[MetricRow], since: int, limit: int) -> MetricPage:
    """The page of the first `limit` of all the rows there are, or of more than that."""
    page = rows[:limit]
    return MetricPage(page, page[-1].id if page else since, len(rows) > limit)


def _read_on(
    session: Session, conditions: Conditions, since: int, wanted: int
) -> tuple[list[MetricRow], int | None]:
    """Matching rows among the next ones, and the id of the last of these; None: no more rows follow."""
    window = _next_rows(since, _WINDOW_ROWS).cte("window")
    found = (
        select(*_columns(window))
        .join_from(window, MetricSeries, MetricSeries.id == window.c.series_id)
        .where(*conditions)
        .order_by(window.c.id)
        .limit(wanted)
        .subquery("found")
    )
    is_full = func.count() == _WINDOW_ROWS
    last = select(case((is_full, func.max(window.c.id))).label("end")).select_from(window).subquery("last")
    statement = select(found, last.c.end).select_from(last.outerjoin(found, true())).order_by(found.c.id)
    lines = _lines(session, statement)
    return [MetricRow._make(line[:-1]) for line in lines if line[0] is not None], lines[0][-1]


def _read_heads(
    session: Session, series: _Series, since: int, wanted: int
) -> tuple[list[MetricRow], int | None]:
    """The first rows of each of these series, in order, and up to where none is missing; None: anywhere."""
    share = max(1, min(wanted, _HEAD_ROWS // len(series.ids)))
    chosen = (
        func.unnest(cast(literal(f"{{{','.join(map(str, series.ids))}}}"), ARRAY(BigInteger)))
        .table_valued(column("id", BigInteger), name="chosen")
        .render_derived()
    )
    head = (
        select(Metric)
        .where(Metric.series_id == chosen.c.id, Metric.id > since)
        .order_by(Metric.id)
        .limit(share + 1)
        .lateral("head")
    )
    heads = select(head).select_from(chosen).join(head, true()).cte("heads")
    # a series with more than its share may have rows behind the last one read
    longer = select(func.max(heads.c.id).label("id")).group_by(heads.c.series_id).having(func.count() > share)
    ends = longer.subquery("longer")
    bound = select(func.least(func.min(ends.c.id), literal(series.end, BigInteger)).label("end")).cte("bound")
    first = (
        select(heads, bound.c.end)
        .join_from(heads, bound, or_(bound.c.end.is_(None), heads.c.id < bound.c.end))
        .order_by(heads.c.id)
        .limit(wanted)
        .subquery("first")
    )
    statement = (
        select(*_columns(first), first.c.end)
        .join_from(first, MetricSeries, MetricSeries.id == first.c.series_id)
        .order_by(first.c.id)
    )
    lines = _lines(session, statement)
    last: int | None = lines[0][-1] if lines else series.end
    return [MetricRow._make(line[:-1]) for line in lines], None if last is None else last - 1


def _series_after(session: Session, conditions: Conditions, since: int, wanted: int) -> _Series:
    """Matching series with rows after `since`: all that have begun, and the next ones; `wanted` at most."""
    statement = (
        select(MetricSeries.id, MetricSeries.first_id)
        .where(MetricSeries.last_id > since, *conditions)
        .order_by(MetricSeries.first_id)
        .limit(wanted + 1)
    )
    found = _lines(session, statement)
    ids = [series_id for series_id, _ in found]
    first = max(since + 1, found[0][1]) if found else since + 1
    if len(found) <= wanted:
        return _Series(ids, first, None)
    # the last one stands for all that follow; where it has begun too, nothing is known of those
    return _Series(ids[:-1], first, max(since + 1, found[-1][1]))


def _next_rows(since: int, limit: int) -> Select[Metric]:
    return select(Metric).where(Metric.id > since).order_by(Metric.id).limit(limit)


def _with_series(rows: Select[Metric], conditions: Conditions) -> "Select[*tuple[object, ...]]":
    """`MetricRow`'s columns for those of these rows that `conditions` choose, in order."""
    row = rows.subquery("row")
    return (
        select(*_columns(row))
        .join_from(row, MetricSeries, MetricSeries.id == row.c.series_id)
        .where(*conditions)
        .order_by(row.c.id)
    )


def _columns(row: FromClause) -> list[ColumnElement[object]]:
    """`MetricRow`'s columns of rows of metrics that are joined with their series."""
    series = MetricSeries.__table__.c
    return [row.c[name] if name in row.c else series[name] for name in MetricRow._fields]


def _read(session: Session, statement: "Select[*tuple[object, ...]]") -> list[MetricRow]:
    return [MetricRow._make(line) for line in _lines(session, statement)]


def _lines(session: Session, statement: "Select[*tuple[object, ...]]") -> "Sequence[Row[*tuple[Any, ...]]]":
    # past the object-relational layer, which has nothing to do here and takes as long as the database
    return session.connection().execute(statement).all()
