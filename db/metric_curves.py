"""Whole curves of metrics, thinned in the database: a picture shows some hundred points, whatever there are.

Of n rows, in their order, cut into equal runs, the lowest and the highest of each run are kept, and the first
and the last of all (min-max decimation; Jugel et al. 2014, *M4*): a line through them covers what a line
through all of them would, spikes included.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.orm import Session

from db.metric_search import Conditions

MOST_CURVES = 500
"""Curves of one answer; those that began first."""

_CURVES = """
    WITH series AS MATERIALIZED (
        SELECT id, experiment_id, name, split, layer, seed, backbone, dataset, first_id, last_id
        FROM metric_series
        WHERE {conditions} ORDER BY first_id LIMIT %(most)s
    ),
    numbered AS (
        SELECT series_id, metrics.id, step, value,
            row_number() OVER (PARTITION BY series_id ORDER BY metrics.id) - 1 AS place,
            count(*) OVER (PARTITION BY series_id) AS total
        FROM metrics JOIN series ON series.id = series_id WHERE step IS NOT NULL
    ),
    ranked AS (
        SELECT *,
            row_number() OVER (PARTITION BY series_id, place * %(runs)s / total ORDER BY value) AS low,
            row_number() OVER (
                PARTITION BY series_id, place * %(runs)s / total ORDER BY value DESC NULLS LAST
            ) AS high
        FROM numbered
    )
    SELECT (SELECT max(last_id) FROM series), series.id, experiment_id, name, split, layer, seed, backbone,
        dataset, total, step, value
    FROM series LEFT JOIN ranked ON ranked.series_id = series.id
        AND (total <= %(points)s OR place IN (0, total - 1) OR low = 1 OR high = 1)
    ORDER BY first_id, step
"""


@dataclass(frozen=True, slots=True)
class Curve:
    """A series with steps."""

    experiment: str
    name: str
    split: str | None
    layer: int | None
    seed: int | None
    backbone: str | None
    dataset: str | None
    count: int
    """Rows there are."""
    steps: list[int] = field(default_factory=list)
    """Of the rows that were kept, ascending."""
    values: list[float | None] = field(default_factory=list)
    """Null: not a finite number."""


class Curves(NamedTuple):
    """Curves, and the cursor behind everything they were read from."""

    curves: list[Curve]
    next_since: int


def read_curves(session: Session, conditions: Conditions, points: int) -> Curves:
    """The curves of the series that `conditions` choose, each of about `points` rows at most."""
    parameters = {**conditions.parameters, "most": MOST_CURVES, "points": points, "runs": points // 2}
    lines = session.connection().exec_driver_sql(_CURVES.format(conditions=conditions.sql), parameters).all()
    curves: dict[int, Curve] = {}
    for _, series, experiment, name, split, layer, seed, backbone, dataset, total, step, value in lines:
        if step is not None:
            curve = curves.get(series) or curves.setdefault(
                series, Curve(experiment, name, split, layer, seed, backbone, dataset, total)
            )
            curve.steps.append(step)
            curve.values.append(value)
    return Curves(list(curves.values()), lines[0][0] if lines else 0)
