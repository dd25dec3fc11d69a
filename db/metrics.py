"""Rows of metrics: written by the attempt that owns its experiment, read with a cursor that misses none."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from db.locks import Lock, hold
from db.metric_curves import Curves, read_curves
from db.metric_search import Conditions, MetricPage, first_rows, matching_rows, newest_rows
from db.notices import notify
from db.owners import is_seen, viewer_of
from db.states import FINAL
from db.tables import Experiment, Metric, MetricSeries

# ids are drawn in the order of the values; a value that is there already stays as it is
_INSERT = text(
    """
    WITH added AS (
        INSERT INTO metrics (series_id, step, value)
        SELECT * FROM unnest(CAST(:series AS bigint[]), CAST(:steps AS bigint[]), CAST(:values AS float8[]))
        ON CONFLICT DO NOTHING
        RETURNING id, series_id
    ), ends AS (
        SELECT series_id, min(id) AS first_id, max(id) AS last_id FROM added GROUP BY series_id
    )
    UPDATE metric_series AS series
    SET first_id = CASE series.first_id WHEN 0 THEN ends.first_id ELSE series.first_id END,
        last_id = ends.last_id
    FROM ends
    WHERE series.id = ends.series_id
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMetric:
    """A measured value; NaN and infinities are stored as null."""

    name: str
    value: float
    step: int | None = None
    split: str | None = None
    layer: int | None = None
    backbone: str | None = None
    """Null: the experiment's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFilter:
    """Which rows; an empty tuple doesn't filter."""

    experiments: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Names; ``*`` stands for any run of characters."""
    splits: tuple[str, ...] = ()
    backbones: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    """Names of datasets."""
    layers: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()
    parents: tuple[str, ...] = ()
    """Experiments whose children are meant."""


class _Series(NamedTuple):
    """What tells the series of an experiment apart."""

    name: str
    split: str | None
    layer: int | None
    backbone: str | None


def append(
    session: Session, experiment: Experiment, dataset: str | None, metrics: Sequence[NewMetric]
) -> None:
    """Insert metrics of an experiment whose row this transaction has locked (`db.claims.record`).

    A value that is there already (same series and step) stays: a resumed attempt repeats nothing. Whoever
    waits for the experiment's metrics is woken by the commit.
    """
    if not metrics:
        return
    # ids are drawn and committed under one lock: whoever reads up to an id has seen all the smaller ones
    hold(session, Lock.METRICS)
    of_each = [
        _Series(metric.name, metric.split, metric.layer, metric.backbone or experiment.backbone_id)
        for metric in metrics
    ]
    ids = _series_ids(session, experiment, dataset, frozenset(of_each))
    session.execute(
        _INSERT,
        {
            "series": [ids[series] for series in of_each],
            "steps": [metric.step for metric in metrics],
            "values": [float(metric.value) if math.isfinite(metric.value) else None for metric in metrics],
        },
    )
    notify(session, experiment.id)


def poll(session: Session, wanted: MetricFilter, *, since: int = 0, limit: int = 1000) -> MetricPage:
    """At most `limit` rows after the cursor `since`; fewer, but not none, where they are hard to find."""
    conditions = _conditions(session, wanted)
    if not conditions.parameters:
        return first_rows(session, since, limit)
    return matching_rows(session, conditions, since, limit)


def latest(session: Session, wanted: MetricFilter, *, since: int = 0, limit: int = 1000) -> MetricPage:
    """At most `limit` newest rows of a series (experiment, name, split, layer, backbone) after `since`."""
    return newest_rows(session, _conditions(session, wanted), since, limit)


def curves(session: Session, wanted: MetricFilter, *, points: int) -> Curves:
    """The curves of the series with steps, thinned to about `points` rows each."""
    return read_curves(session, _conditions(session, wanted), points)


def final_values(session: Session, experiment_ids: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Experiment id → metric name → its newest value, for every id asked for."""
    statement = (
        select(MetricSeries.experiment_id, MetricSeries.name, Metric.value)
        .join(Metric, Metric.id == MetricSeries.last_id)
        .where(MetricSeries.experiment_id.in_(experiment_ids))
        .order_by(MetricSeries.name, MetricSeries.last_id)
    )
    values: dict[str, dict[str, float | None]] = {experiment_id: {} for experiment_id in experiment_ids}
    for experiment_id, name, value in session.execute(statement):
        values[experiment_id][name] = value
    return values


def delete_some(session: Session, experiment_ids: Sequence[str], limit: int = 20_000) -> bool:
    """Delete some of these experiments' metrics; False when none was left."""
    some = (
        select(Metric.id)
        .join(MetricSeries, MetricSeries.id == Metric.series_id)
        .where(MetricSeries.experiment_id.in_(experiment_ids))
        .limit(limit)
    )
    return session.execute(delete(Metric).where(Metric.id.in_(some)).returning(Metric.id)).first() is not None


def all_final(session: Session, experiment_ids: Sequence[str]) -> bool:
    """Whether no metric of these experiments can follow: each is final, or doesn't exist."""
    unfinished = (
        select(func.count())
        .select_from(Experiment)
        .where(
            Experiment.id.in_(experiment_ids),
            Experiment.status.not_in(FINAL),
            is_seen(session, Experiment),
        )
    )
    return session.scalar(unfinished) == 0


def _series_ids(
    session: Session, experiment: Experiment, dataset: str | None, wanted: frozenset[_Series]
) -> dict[_Series, int]:
    """The ids of these series of the experiment; those that don't exist yet are made."""
    names = {series.name for series in wanted}
    columns = (MetricSeries.name, MetricSeries.split, MetricSeries.layer, MetricSeries.backbone)
    known = select(MetricSeries.id, *columns).where(
        MetricSeries.experiment_id == experiment.id, MetricSeries.name.in_(names)
    )
    ids = {_Series._make(series): series_id for series_id, *series in session.execute(known)}
    if new := wanted - ids.keys():
        common = {"experiment_id": experiment.id, "seed": experiment.seed, "dataset": dataset}
        made = session.execute(
            insert(MetricSeries).returning(MetricSeries.id, *columns),
            [{**series._asdict(), **common} for series in new],
        )
        ids.update((_Series._make(series), series_id) for series_id, *series in made)
    return ids


def _conditions(session: Session, wanted: MetricFilter) -> Conditions:
    """`wanted`, of what is seen, as SQL; names stand for the columns they filter."""
    parts: list[str] = []
    parameters: dict[str, object] = {}
    viewer = viewer_of(session)
    if not viewer.sees_all:
        parts.append("experiment_id IN (SELECT id FROM experiments WHERE owner = %(owner)s)")
        parameters["owner"] = viewer.owner
    columns: dict[str, Sequence[object]] = {
        "experiment_id": wanted.experiments,
        "split": wanted.splits,
        "backbone": wanted.backbones,
        "dataset": wanted.datasets,
        "layer": wanted.layers,
        "seed": wanted.seeds,
    }
    for column, values in columns.items():
        if values:
            parts.append(f"{column} = ANY(%({column})s)")
            parameters[column] = list(values)
    if wanted.names:
        names = {f"name_{number}": name for number, name in enumerate(wanted.names)}
        parts.append("(" + " OR ".join(_is_named(key, name) for key, name in names.items()) + ")")
        parameters |= {key: _like(name) if "*" in name else name for key, name in names.items()}
    if wanted.parents:
        parts.append("experiment_id IN (SELECT id FROM experiments WHERE parent_id = ANY(%(parent)s))")
        parameters["parent"] = list(wanted.parents)
    return Conditions(" AND ".join(parts) or "true", parameters)


def _is_named(key: str, glob: str) -> str:
    return f"name LIKE %({key})s" if "*" in glob else f"name = %({key})s"


def _like(glob: str) -> str:
    for special in ("\\", "%", "_"):
        glob = glob.replace(special, "\\" + special)
    return glob.replace("*", "%")
