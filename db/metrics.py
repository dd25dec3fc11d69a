"""Rows of metrics: written by the attempt that owns its experiment, read with a cursor that misses none."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.locks import Lock, hold
from db.states import FINAL
from db.tables import Experiment, Metric


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


class MetricPage(NamedTuple):
    """Rows in the order they became visible; pass `next_since` as `since` for the rows after them."""

    rows: list[Metric]
    next_since: int
    has_more: bool


def append(
    session: Session, experiment: Experiment, dataset: str | None, metrics: Sequence[NewMetric]
) -> None:
    """Insert metrics of an experiment whose row this transaction has locked (`db.claims.record`).

    A value that is there already (same name, step, split and layer) stays: a resumed attempt repeats nothing.
    """
    if not metrics:
        return
    # ids are drawn and committed under one lock: whoever reads up to an id has seen all the smaller ones
    hold(session, Lock.METRICS)
    session.execute(
        insert(Metric).on_conflict_do_nothing(),
        [
            {
                "experiment_id": experiment.id,
                "name": metric.name,
                "value": metric.value if math.isfinite(metric.value) else None,
                "step": metric.step,
                "split": metric.split,
                "layer": metric.layer,
                "seed": experiment.seed,
                "backbone": metric.backbone or experiment.backbone_id,
                "dataset": dataset,
            }
            for metric in metrics
        ],
    )


def poll(session: Session, wanted: MetricFilter, *, since: int = 0, limit: int = 1000) -> MetricPage:
    """At most `limit` rows after the cursor `since`."""
    statement = (
        select(Metric).where(Metric.id > since, *_conditions(wanted)).order_by(Metric.id).limit(limit + 1)
    )
    rows = list(session.scalars(statement))
    page = rows[:limit]
    return MetricPage(page, page[-1].id if page else since, len(rows) > limit)


def latest(session: Session, wanted: MetricFilter, *, limit: int = 1000) -> list[Metric]:
    """The newest row of each experiment, name, split and layer, oldest of these first."""
    newest = (
        select(func.max(Metric.id))
        .where(*_conditions(wanted))
        .group_by(Metric.experiment_id, Metric.name, Metric.split, Metric.layer)
    )
    return list(session.scalars(select(Metric).where(Metric.id.in_(newest)).order_by(Metric.id).limit(limit)))


def final_values(session: Session, experiment_ids: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Experiment id → metric name → its newest value, for every id asked for."""
    newest = (
        select(func.max(Metric.id))
        .where(Metric.experiment_id.in_(experiment_ids))
        .group_by(Metric.experiment_id, Metric.name)
    )
    values: dict[str, dict[str, float | None]] = {experiment_id: {} for experiment_id in experiment_ids}
    for row in session.scalars(select(Metric).where(Metric.id.in_(newest)).order_by(Metric.name)):
        values[row.experiment_id][row.name] = row.value
    return values


def all_final(session: Session, experiment_ids: Sequence[str]) -> bool:
    """Whether no metric of these experiments can follow: each is final, or doesn't exist."""
    unfinished = (
        select(func.count())
        .select_from(Experiment)
        .where(Experiment.id.in_(experiment_ids), Experiment.status.not_in(FINAL))
    )
    return session.scalar(unfinished) == 0


def _conditions(wanted: MetricFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.experiments:
        conditions.append(Metric.experiment_id.in_(wanted.experiments))
    if wanted.names:
        conditions.append(or_(*(Metric.name.like(_like_pattern(name), escape="\\") for name in wanted.names)))
    if wanted.splits:
        conditions.append(Metric.split.in_(wanted.splits))
    if wanted.backbones:
        conditions.append(Metric.backbone.in_(wanted.backbones))
    if wanted.datasets:
        conditions.append(Metric.dataset.in_(wanted.datasets))
    if wanted.layers:
        conditions.append(Metric.layer.in_(wanted.layers))
    if wanted.seeds:
        conditions.append(Metric.seed.in_(wanted.seeds))
    if wanted.parents:
        children = select(Experiment.id).where(Experiment.parent_id.in_(wanted.parents))
        conditions.append(Metric.experiment_id.in_(children))
    return conditions


def _like_pattern(glob: str) -> str:
    for special in ("\\", "%", "_"):
        glob = glob.replace(special, "\\" + special)
    return glob.replace("*", "%")
