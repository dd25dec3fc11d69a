"""How a page of metric rows is found: with work that stays bounded, whatever the filter and the cursor.

What is filtered by belongs to the series, of which there are few, and the rows of a series lie together in
the index on (series, id). Rows are looked for in two ways. Reading on from the cursor finds a full page where
matching rows are frequent, and everything where few rows are left. Where they are rare, the first rows of
each matching series are read and put in order.

The statements are written out and go to the driver as they are: composing them anew for each request took as
long as running them. Rows are read without their series, which are looked up once each for the page found:
a join with them reads all series there are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

_WINDOW_ROWS = 5_000
"""Rows read on from the cursor at a time."""
_HEAD_ROWS = 8_000
"""Rows read of all matching series together at a time."""
_ROUNDS = 4
"""Times that both ways are tried before a page is given that isn't full."""

_NEXT = """
    SELECT id, series_id, step, value, recorded_at FROM metrics
    WHERE id > %(since)s::bigint ORDER BY id LIMIT %(limit)s
"""

# each series of the window is looked up once, in the index
_WINDOW = """
    WITH next AS MATERIALIZED (
        SELECT id, series_id, step, value, recorded_at FROM metrics
        WHERE id > %(since)s::bigint ORDER BY id LIMIT %(limit)s
    ),
    chosen AS MATERIALIZED (
        SELECT series.id FROM (SELECT DISTINCT series_id FROM next) AS present
        CROSS JOIN LATERAL (
            SELECT id FROM metric_series WHERE id = present.series_id AND {conditions} OFFSET 0
        ) AS series
    ),
    found AS (
        SELECT next.* FROM next JOIN chosen ON chosen.id = next.series_id ORDER BY next.id LIMIT %(wanted)s
    )
    SELECT found.*, last.until
    FROM (SELECT CASE count(*) WHEN %(limit)s THEN max(id) END AS until FROM next) AS last
    LEFT JOIN found ON true
    ORDER BY found.id
"""

_SERIES = """
    SELECT id, first_id, last_id FROM metric_series
    WHERE last_id > %(since)s::bigint AND {conditions}
    ORDER BY first_id LIMIT %(wanted)s
"""

# a series with more than its share may have rows behind the last one read
_HEADS = """
    WITH heads AS MATERIALIZED (
        SELECT head.* FROM unnest(%(series)s::bigint[]) AS chosen (id)
        CROSS JOIN LATERAL (
            SELECT id, series_id, step, value, recorded_at FROM metrics
            WHERE series_id = chosen.id AND id > %(since)s::bigint ORDER BY id LIMIT %(share)s + 1
        ) AS head
    ),
    bound AS (
        SELECT least(min(longer.id), %(end)s::bigint) AS id FROM (
            SELECT max(id) AS id FROM heads GROUP BY series_id HAVING count(*) > %(share)s
        ) AS longer
    )
    SELECT heads.*, bound.id FROM heads JOIN bound ON bound.id IS NULL OR heads.id < bound.id
    ORDER BY heads.id LIMIT %(wanted)s
"""

_NEWEST = """
    SELECT metrics.id, series_id, step, value, recorded_at FROM (
        SELECT last_id FROM metric_series WHERE last_id > %(since)s::bigint AND {conditions}
        ORDER BY last_id LIMIT %(limit)s
    ) AS newest JOIN metrics ON metrics.id = newest.last_id ORDER BY metrics.id
"""

_FACTS = """
    SELECT id, experiment_id, name, split, layer, seed, backbone, dataset
    FROM metric_series WHERE id = ANY(%(series)s::bigint[])
"""


class Conditions(NamedTuple):
    """What a series must be: SQL over columns of `metric_series`, and the values it names."""

    sql: str
    parameters: Mapping[str, object]


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


Values = list[tuple[Any, ...]]
"""Rows of metrics: id, series_id, step, value, recorded_at."""


class _Series(NamedTuple):
    """Matching series that have rows after a cursor."""

    ids: list[int]
    first: int
    """No row of them, or of another matching series, lies before this id."""
    end: int | None
    """From this id on rows of other matching series may lie; None: there are no others."""
    long_ones_begin: bool
    """Whether one that goes on for longer than a window has begun by `first`: rows are frequent there."""


def first_rows(session: Session, since: int, limit: int) -> MetricPage:
    """The first rows after `since`, whatever they are of."""
    found = _run(session, _NEXT, {"since": since, "limit": limit + 1})
    return _page(session, [tuple(row) for row in found], since, limit)


def matching_rows(session: Session, conditions: Conditions, since: int, limit: int) -> MetricPage:
    """The first rows after `since` of the series that `conditions` choose."""
    values: Values = []
    cursor, window = since, min(limit + 1, _WINDOW_ROWS)  # enough to see how frequent they are
    for rounds_left in reversed(range(_ROUNDS)):
        wanted = limit + 1 - len(values)
        found, end = _read_on(session, conditions, cursor, window, wanted)
        values += found
        if end is None or len(values) > limit:
            return _page(session, values, since, limit)
        cursor = end
        # frequent enough for two windows to hold all that is wanted yet
        is_frequent = 2 * _WINDOW_ROWS * len(found) >= (wanted - len(found)) * window
        window = _WINDOW_ROWS
        if rounds_left and is_frequent:
            continue
        series = _series_after(session, conditions, cursor, limit + 1 - len(values))
        if not series.ids:
            return _page(session, values, since, limit)
        is_behind = series.first - 1 > cursor
        cursor = max(cursor, series.first - 1)
        if rounds_left and is_behind and series.long_ones_begin:  # frequent enough there
            continue
        heads, end = _read_heads(session, series, cursor, limit + 1 - len(values))
        values += heads
        if end is None or len(values) > limit:
            return _page(session, values, since, limit)
        cursor = end
    return MetricPage(_rows(session, values), cursor, has_more=True)


def newest_rows(session: Session, conditions: Conditions, since: int, limit: int) -> MetricPage:
    """The newest row of each series that `conditions` choose, where it lies after `since`."""
    parameters = {**conditions.parameters, "since": since, "limit": limit + 1}
    found = _run(session, _NEWEST.format(conditions=conditions.sql), parameters)
    return _page(session, [tuple(row) for row in found], since, limit)


def _page(session: Session, values: Values, since: int, limit: int) -> MetricPage:
    """The page of the first `limit` of all the rows there are, or of more than that."""
    page = values[:limit]
    return MetricPage(_rows(session, page), page[-1][0] if page else since, len(values) > limit)


def _read_on(
    session: Session, conditions: Conditions, since: int, window: int, wanted: int
) -> tuple[Values, int | None]:
    """Matching rows among the next `window` ones, and the id of the last of these; None: no more follow."""
    parameters = {**conditions.parameters, "since": since, "limit": window, "wanted": wanted}
    lines = _run(session, _WINDOW.format(conditions=conditions.sql), parameters)
    return [line[:-1] for line in lines if line[0] is not None], lines[0][-1]


def _read_heads(session: Session, series: _Series, since: int, wanted: int) -> tuple[Values, int | None]:
    """The first rows of each of these series, in order, and up to where none is missing; None: anywhere."""
    share = max(1, min(wanted, _HEAD_ROWS // len(series.ids)))
    parameters = {
        "series": series.ids,
        "since": since,
        "share": share,
        "end": series.end,
        "wanted": wanted,
    }
    lines = _run(session, _HEADS, parameters)
    last: int | None = lines[0][-1] if lines else series.end
    return [line[:-1] for line in lines], None if last is None else last - 1


def _series_after(session: Session, conditions: Conditions, since: int, wanted: int) -> _Series:
    """Matching series with rows after `since`: all that have begun, and the next ones; `wanted` at most."""
    parameters = {**conditions.parameters, "since": since, "wanted": wanted + 1}
    found = _run(session, _SERIES.format(conditions=conditions.sql), parameters)
    ids = [series_id for series_id, _, _ in found]
    first = max(since + 1, found[0][1]) if found else since + 1
    long_ones_begin = any(begin <= first and last >= first + _WINDOW_ROWS for _, begin, last in found)
    if len(found) <= wanted:
        return _Series(ids, first, None, long_ones_begin)
    # the last one stands for all that follow; where it has begun too, nothing is known of those
    return _Series(ids[:-1], first, max(since + 1, found[-1][1]), long_ones_begin)


def _rows(session: Session, values: Values) -> list[MetricRow]:
    """The values with what their series say."""
    series = list({value[1] for value in values})
    if not series:
        return []
    facts = {line[0]: line[1:] for line in _run(session, _FACTS, {"series": series})}
    return [
        MetricRow(id, experiment, name, value, step, split, layer, seed, backbone, dataset, recorded_at)
        for id, series_id, step, value, recorded_at in values
        for experiment, name, split, layer, seed, backbone, dataset in (facts[series_id],)
    ]


def _run(
    session: Session, statement: str, parameters: Mapping[str, object]
) -> "Sequence[Row[*tuple[Any, ...]]]":
    return session.connection().exec_driver_sql(statement, dict(parameters)).all()
