"""Rows of experiments as a client sees them; how workers own them is in `db.claims`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import case, func, or_, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import datasets, log_lines, loose_files, needs
from db.errors import ConflictError, NotFoundError
from db.ids import new_id
from db.owners import is_seen, viewer_of
from db.paging import Order, Page, fetch_page
from db.shown import is_shown_as, shown_column, shown_status
from db.states import FINAL, Queue, Status, move
from db.tables import Artifact, Dataset, Experiment, JSONObject

SUITE = "suite"
"""The kind whose rows name no dataset: its children's do."""
_FAILED = (Status.FAILED, Status.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExperiment:
    """A request whose every default is resolved."""

    kind: str
    config: JSONObject
    seed: int
    dataset_id: str | None
    name: str | None = None
    model_id: str | None = None
    """The model it uses, if it uses one."""
    backbone_id: str | None = None
    parent_id: str | None = None
    queue: Queue = Queue.GPU
    """Which workers are woken for it."""
    request_id: str | None = None
    """Of the HTTP request it came with."""


def add(session: Session, experiment: NewExperiment) -> Experiment:
    """Insert a queued experiment; `ConflictError` when its dataset or model was deleted meanwhile."""
    row = Experiment(id=new_id("exp"), owner=viewer_of(session).owner, **asdict(experiment))
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise ConflictError("the dataset, model or parent it names was deleted meanwhile") from error
    session.refresh(row)
    log_lines.note(session, row, "accepted")
    return row


def get(session: Session, experiment_id: str) -> Experiment:
    """The experiment of this id; `NotFoundError`."""
    row = session.scalar(
        select(Experiment).where(Experiment.id == experiment_id, is_seen(session, Experiment))
    )
    if row is None:
        raise NotFoundError("experiment", experiment_id)
    return row


def page(
    session: Session,
    *,
    kind: str | None = None,
    status: str | None = None,
    dataset_id: str | None = None,
    parent_id: str | None = None,
    name: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
    order: Order = "desc",
) -> Page[Experiment, str]:
    """Experiments by age; the cursor is an id."""
    statement = select(Experiment).where(is_seen(session, Experiment))
    for column, value in (
        (Experiment.kind, kind),
        (Experiment.dataset_id, dataset_id),
        (Experiment.parent_id, parent_id),
        (Experiment.name, name),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if status is not None:
        statement = statement.where(is_shown_as(status))
    return fetch_page(
        session, statement, Experiment.id, lambda row: row.id, limit=limit, cursor=cursor, order=order
    )


def request_cancel(session: Session, experiment_id: str) -> Experiment:
    """Cancel a queued experiment at once; ask the worker of a running one to stop (status `cancelling`).

    The same becomes of all its children. Asking again changes nothing. Raises `NotFoundError`, and
    `ConflictError` when it is final.
    """
    family = needs.lock_family(session, experiment_id)
    row = family[-1]
    if Status(row.status) in FINAL:
        raise ConflictError(f"the experiment is {row.status} already; only unfinished ones can be cancelled")
    now = session.scalars(select(func.now())).one()
    cancelled = [each for each in family if each.status in (Status.QUEUED, Status.WAITING)]
    for each in cancelled:
        each.status, each.finished_at = move(each.status, Status.CANCELLED), now
    for each in family:
        if each.status == Status.RUNNING:
            each.status = move(each.status, Status.CANCELLING)
            log_lines.note(session, each, "asked to stop")
    log_lines.note_each(session, [(each, each.status) for each in cancelled])
    needs.ended(session, cancelled)
    return row


def retry(session: Session, experiment_id: str) -> Experiment:
    """Queue a failed or cancelled experiment again, with all its attempts before it; it takes up from its
    last checkpoint, if it has left one.

    One with children tries the failed and cancelled ones of them again and waits for them.

    Raises `NotFoundError`, and `ConflictError` in any other state, when a dataset was deleted, when a child
    is still stopping, and when something it needs has failed.
    """
    _check_can_retry(get(session, experiment_id))
    _hold_datasets(session, experiment_id)
    family = needs.lock_family(session, experiment_id)
    row = family[-1]
    _check_can_retry(row)
    if any(child.status == Status.CANCELLING for child in family):
        raise ConflictError("children of it are still stopping; try again in a moment")
    again = [each for each in family if each.status in _FAILED]
    if any(each.dataset_id is None and each.kind != SUITE for each in again):
        raise ConflictError("its dataset was deleted; add the dataset and submit a new experiment")
    needs.begin_again(session, again)
    for each in again:
        datasets.resume_import(session, each)
    return row


def _check_can_retry(row: Experiment) -> None:
    if row.status not in _FAILED:
        raise ConflictError(
            f"the experiment is {row.status}; only failed and cancelled ones can be tried again"
        )


def delete(session: Session, experiment_id: str) -> list[str]:
    """Delete a final experiment and its children, with their metrics and artifacts.

    Returns:
        The storage prefixes the caller removes once this is committed. Models they made stay.

    Raises `NotFoundError`, and `ConflictError` when it or a child isn't final, or its parent isn't.
    """
    prefixes = [artifacts_prefix(each) for each in lock_final(session, experiment_id)]
    session.execute(sql_delete(Experiment).where(Experiment.parent_id == experiment_id))
    session.execute(sql_delete(Experiment).where(Experiment.id == experiment_id))
    loose_files.note(session, prefixes)
    return prefixes


def lock_final(session: Session, experiment_id: str) -> list[str]:
    """Hold an experiment and its children as they are until the end; returns the ids, its own last.

    Raises `NotFoundError`, and `ConflictError` unless it and its children are final, and its parent is.
    """
    family = needs.lock_family(session, experiment_id)
    if Status(family[-1].status) not in FINAL:
        raise ConflictError(f"the experiment is {shown_status(family[-1])}; cancel it first")
    if any(Status(child.status) not in FINAL for child in family):
        raise ConflictError("children of it are still stopping; try again in a moment")
    parent_id = family[-1].parent_id
    if parent_id is not None and Status(get(session, parent_id).status) not in FINAL:
        raise ConflictError("the experiment it belongs to isn't final; cancel or await that one")
    return [row.id for row in family]


def _hold_datasets(session: Session, experiment_id: str) -> None:
    """Hold the datasets of an experiment and its children, so that none can go before the end.

    Datasets come before experiments, as their deletion locks them.
    """
    belongs = or_(Experiment.id == experiment_id, Experiment.parent_id == experiment_id)
    used = select(Experiment.dataset_id).where(belongs)
    session.execute(
        select(Dataset.id).where(Dataset.id.in_(used)).order_by(Dataset.id).with_for_update(key_share=True)
    )


def children(session: Session, parent_id: str) -> list[Experiment]:
    """An experiment's children, in the order of its plan."""
    return list(
        session.scalars(select(Experiment).where(Experiment.parent_id == parent_id).order_by(Experiment.id))
    )


def num_children(session: Session, parent_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """Parent → status as shown → how many of its children; those without children are left out."""
    shown = shown_column()
    counts: dict[str, dict[str, int]] = {}
    for parent_id, status, number in session.execute(
        select(Experiment.parent_id, shown, func.count())
        .where(Experiment.parent_id.in_(parent_ids))
        .group_by(Experiment.parent_id, shown)
    ):
        counts.setdefault(str(parent_id), {})[status] = number
    return counts


def artifacts_prefix(experiment_id: str) -> str:
    """Where the artifacts of all attempts of an experiment are stored."""
    return f"experiments/{experiment_id}"


def artifacts(session: Session, experiment_ids: Collection[str]) -> dict[str, list[Artifact]]:
    """The published artifacts of some experiments, each by name; an empty list where there are none."""
    found: dict[str, list[Artifact]] = {experiment_id: [] for experiment_id in experiment_ids}
    for row in session.scalars(
        select(Artifact).where(Artifact.experiment_id.in_(experiment_ids)).order_by(Artifact.name)
    ):
        found[row.experiment_id].append(row)
    return found


def artifact(session: Session, experiment_id: str, name: str) -> Artifact:
    """One published artifact; `NotFoundError`."""
    row = session.get(Artifact, (get(session, experiment_id).id, name))
    if row is None:
        raise NotFoundError("artifact", name)
    return row


def mark_published(session: Session, experiment_ids: Sequence[str]) -> None:
    """Note that a worker was woken for these experiments."""
    session.execute(
        update(Experiment).where(Experiment.id.in_(experiment_ids)).values(published_at=func.now())
    )


def num_queued(session: Session) -> dict[Queue, int]:
    """How many experiments wait in each queue."""
    statement = (
        select(Experiment.queue, func.count())
        .where(Experiment.status == Status.QUEUED)
        .group_by(Experiment.queue)
    )
    counts = {Queue(queue): number for queue, number in session.execute(statement)}
    return {queue: counts.get(queue, 0) for queue in Queue}


def uncalled_relatives(session: Session, experiment_id: str) -> dict[str, Queue]:
    """Of an experiment, its parent, its parent's children and its own, those queued that nobody was woken
    for, each with its queue.
    """
    parent = select(Experiment.parent_id).where(Experiment.id == experiment_id).scalar_subquery()
    is_relative = or_(
        Experiment.id.in_((experiment_id, parent)), Experiment.parent_id.in_((experiment_id, parent))
    )
    statement = (
        select(Experiment.id, Experiment.queue)
        .where(is_relative, Experiment.status == Status.QUEUED, Experiment.published_at.is_(None))
        .order_by(Experiment.id)
    )
    return {row.id: Queue(row.queue) for row in session.execute(statement)}


def uncalled(
    session: Session, *, older_than_seconds: float, also_called: Collection[Queue], limit: int = 100
) -> dict[str, Queue]:
    """Queued experiments nobody seems to have been woken for, oldest first, each with its queue.

    Args:
        older_than_seconds: leave out those queued, or called for, more recently than this.
        also_called: queues of which those are included that a wake-up call was sent for; right where fewer
            calls are left at the broker than experiments wait.
    """
    since = case((Experiment.published_at.is_(None), Experiment.queued_at), else_=Experiment.published_at)
    statement = (
        select(Experiment.id, Experiment.queue)
        .where(Experiment.status == Status.QUEUED)
        .where(since < func.now() - timedelta(seconds=older_than_seconds))
        .where(or_(Experiment.published_at.is_(None), Experiment.queue.in_(also_called)))
        .order_by(since)
        .limit(limit)
    )
    return {row.id: Queue(row.queue) for row in session.execute(statement)}
