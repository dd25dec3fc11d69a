"""What a suite leaves: its children's values in one table, their means over seeds, who failed and why."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import fmean, stdev

from db import datasets, metrics
from db.metric_search import MetricPage
from db.metrics import MetricFilter
from db.states import Status
from db.tables import Experiment
from sip_model.experiments.planning import PlannedChild
from sip_model.experiments.suite import SuiteConfig
from worker.jobs.context import JobContext
from worker.jobs.results import JSON
from worker.patience import transact

CSV = "text/csv"
_PAGE_ROWS = 5000

Varied = Mapping[str, str | int]
"""What sets a child apart from its neighbours, by the names of the preset."""
Plan = Mapping[str, PlannedChild]
"""Name of a child → what it was planned as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measured value with what it was measured on."""

    experiment: str
    kind: str
    name: str
    value: float | None
    step: int | None
    split: str | None
    layer: int | None
    seed: int
    backbone: str | None
    """What the suite calls it, the same for all seeds."""
    backbone_id: str | None
    dataset: str | None
    varied: Varied


def leave_values(
    context: JobContext[SuiteConfig],
    children: Sequence[Experiment],
    plan: Plan,
    values: Sequence[Measured],
) -> list[str]:
    """Leave ``values.csv`` (every value of every child) and ``summary.json`` (children, and mean and spread
    over seeds of their final values); returns their names.

    Args:
        children: all of the suite's, each final.
        plan: what they were planned as.
        values: what they have measured.
    """
    return [_leave_table(context, values), _leave_summary(context, children, plan, values)]


def read_values(
    context: JobContext[SuiteConfig], children: Sequence[Experiment], plan: Plan
) -> list[Measured]:
    """All values of all children, in the order in which they were recorded."""
    by_id = {child.id: child for child in children}
    values: list[Measured] = []
    since, has_more = 0, True
    while has_more:
        page = _page(context, since)
        for row in page.rows:
            child = by_id[row.experiment_id]
            values.append(
                Measured(
                    experiment=child.id,
                    kind=child.kind,
                    name=row.name,
                    value=row.value,
                    step=row.step,
                    split=row.split,
                    layer=row.layer,
                    seed=child.seed,
                    backbone=shown_backbone(child, plan),
                    backbone_id=row.backbone,
                    dataset=row.dataset,
                    varied=varied(child, plan),
                )
            )
        since, has_more = page.next_since, page.has_more
    return values


def _page(context: JobContext[SuiteConfig], since: int) -> MetricPage:
    wanted = MetricFilter(parents=(context.experiment_id,))
    return transact(
        context.database,
        lambda session: metrics.poll(session, wanted, since=since, limit=_PAGE_ROWS),
        context.settings.lease_seconds,
    )


def _leave_table(context: JobContext[SuiteConfig], values: Sequence[Measured]) -> str:
    settings = sorted({key for value in values for key in value.varied})
    names = [field.name for field in fields(Measured) if field.name != "varied"]
    path = context.scratch / "values.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *settings])
        for value in values:
            row = asdict(value)
            writer.writerow([*(row[name] for name in names), *(value.varied.get(key) for key in settings)])
    context.artifact(path.name, path, CSV)
    return path.name


def _leave_summary(
    context: JobContext[SuiteConfig],
    children: Sequence[Experiment],
    plan: Plan,
    values: Sequence[Measured],
) -> str:
    names = transact(
        context.database,
        lambda session: datasets.names(session, {child.dataset_id for child in children if child.dataset_id}),
        context.settings.lease_seconds,
    )
    content = {
        "children": [_child(child, names, plan) for child in children],
        "unsuccessful": [
            {"experiment": child.id, "name": child.name, "status": child.status, "error": _error(child)}
            for child in children
            if child.status != Status.SUCCEEDED
        ],
        "means": _means(values),
    }
    path = context.scratch / "summary.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    context.artifact(path.name, path, JSON)
    return path.name


def _child(child: Experiment, names: Mapping[str, str], plan: Plan) -> dict[str, object]:
    return {
        "experiment": child.id,
        "name": child.name,
        "kind": child.kind,
        "status": child.status,
        "backbone": shown_backbone(child, plan),
        "backbone_id": child.backbone_id,
        "dataset": names.get(child.dataset_id or ""),
        "seed": child.seed,
        "model": child.model_id,
        "attempts": child.attempt,
        "varied": dict(varied(child, plan)),
    }


def shown_backbone(child: Experiment, plan: Plan) -> str | None:
    """What the suite calls a child's backbone, the same for all seeds."""
    planned = plan.get(child.name or "")
    return child.backbone_id if planned is None else planned.shown_backbone


def varied(child: Experiment, plan: Plan) -> Varied:
    """What the preset varies, with its values of this child."""
    planned = plan.get(child.name or "")
    return {} if planned is None else dict(planned.varied)


def _error(child: Experiment) -> dict[str, str | None] | None:
    if child.error_type is None:
        return None
    return {"type": child.error_type, "message": child.error_message}


def _means(values: Sequence[Measured]) -> list[dict[str, object]]:
    """Mean, sample standard deviation and number over seeds of every final value that is a number."""
    groups: dict[tuple[object, ...], list[float]] = {}
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    for value in values:
        if value.step is not None or value.value is None or not math.isfinite(value.value):
            continue
        row: dict[str, object] = {
            "kind": value.kind,
            "name": value.name,
            "split": value.split,
            "layer": value.layer,
            "backbone": value.backbone,
            "dataset": value.dataset,
            "varied": dict(value.varied),
        }
        key = (*list(row.values())[:-1], tuple(sorted(value.varied.items())))
        rows[key] = row
        groups.setdefault(key, []).append(value.value)
    return [
        {
            **rows[key],
            "mean": fmean(found),
            "sd": stdev(found) if len(found) > 1 else 0.0,
            "n": len(found),
        }
        for key, found in groups.items()
    ]
