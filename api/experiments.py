"""Experiments with what belongs to them: final metrics and files."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from api.listing import Order, Page, decode_cursor, page_of
from api.schemas.experiments import ExperimentResource, StatusName
from api.schemas.log import LogEntry, LogResponse
from api.services import Services
from db import datasets, experiments, log_lines, metrics
from db.errors import NotFoundError
from db.tables import Experiment


class ExperimentFilter(NamedTuple):
    """Which experiments a list holds; None doesn't filter."""

    kind: str | None
    status: StatusName | None
    dataset: str | None
    """Id or name."""
    parent: str | None
    name: str | None


def list_experiments(
    session: Session, wanted: ExperimentFilter, limit: int, cursor: str | None, order: Order
) -> Page[ExperimentResource]:
    """A page of experiments with their metrics and files."""
    after = decode_cursor(cursor)
    try:
        dataset_id = None if wanted.dataset is None else datasets.get(session, wanted.dataset).id
    except NotFoundError:
        return Page(data=[], has_more=False, next_cursor=None)
    page = experiments.page(
        session,
        kind=wanted.kind,
        status=wanted.status,
        dataset_id=dataset_id,
        parent_id=wanted.parent,
        name=wanted.name,
        limit=limit,
        cursor=after,
        order=order,
    )
    resources = experiment_resources(session, page.rows)
    by_id = {resource.id: resource for resource in resources}
    return page_of(page, lambda row: by_id[row.id])


def experiment_resources(session: Session, rows: Sequence[Experiment]) -> list[ExperimentResource]:
    """The resources of `rows`, in their order."""
    ids = [row.id for row in rows]
    values, artifacts = metrics.final_values(session, ids), experiments.artifacts(session, ids)
    children = experiments.num_children(session, ids)
    return [
        ExperimentResource.of(row, values[row.id], artifacts[row.id], children.get(row.id)) for row in rows
    ]


def experiment_resource(session: Session, row: Experiment) -> ExperimentResource:
    """The resource of one row."""
    return experiment_resources(session, [row])[0]


def experiment_log(session: Session, experiment_id: str, since: int, limit: int) -> LogResponse:
    """Lines of an experiment's log after the cursor; `NotFoundError`."""
    page = log_lines.read(session, experiments.get(session, experiment_id).id, since=since, limit=limit)
    return LogResponse(
        data=[LogEntry.model_validate(line) for line in page.lines],
        next_since=page.lines[-1].id if page.lines else since,
        has_more=page.has_more,
    )


def delete_experiment(services: Services, experiment_id: str) -> None:
    """Delete the rows, those of children too, then, once that is committed, the files.

    Metrics go some thousands per transaction: millions of them would take longer than a statement may.
    """
    prefixes: list[str] | None = None
    while prefixes is None:
        with services.database.session() as session:
            family = experiments.lock_final(session, experiment_id)
            if not metrics.delete_some(session, family):
                prefixes = experiments.delete(session, experiment_id)
    for prefix in prefixes:
        services.store.delete_prefix(prefix)
