"""Rows of experiments as a client sees them; how workers own them is in `db.claims`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import case, func, or_, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import counters, datasets, loose_files, notices
from db.errors import ConflictError, NotFoundError
from db.ids import new_id
from db.paging import Order, Page, fetch_page
from db.states import FINAL, Queue, Status, move
from db.tables import Artifact, Dataset, Experiment, JSONObject


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
    row = Experiment(id=new_id("exp"), **asdict(experiment))
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise ConflictError("the dataset, model or parent it names was deleted meanwhile") from error
    session.refresh(row)
    return row


def get(session: Session, experiment_id: str) -> Experiment:
    """The experiment of this id; `NotFoundError`."""
    row = session.get(Experiment, experiment_id)
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
    statement = select(Experiment)
    for column, value in (
        (Experiment.kind, kind),
        (Experiment.status, status),
        (Experiment.dataset_id, dataset_id),
        (Experiment.parent_id, parent_id),
        (Experiment.name, name),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return fetch_page(
        session, statement, Experiment.id, lambda row: row.id, limit=limit, cursor=cursor, order=order
    )


def request_cancel(session: Session, experiment_id: str) -> Experiment:
    """Cancel a queued experiment at once; ask the worker of a running one to stop (status `cancelling`).

    Asking again changes nothing. Raises `NotFoundError`, and `ConflictError` when it is final.
    """
    row = _locked(session, experiment_id)
    if Status(row.status) in FINAL:
        raise ConflictError(f"the experiment is {row.status} already; only unfinished ones can be cancelled")
    if row.status == Status.QUEUED:
        row.status = move(row.status, Status.CANCELLED)
        row.finished_at = session.scalars(select(func.now())).one()
        session.flush()
        datasets.fail_import(session, row)
        notices.notify(session, row.id)
        counters.count_finished(session, row.kind, Status.CANCELLED)
    elif row.status == Status.RUNNING:
        row.status = move(row.status, Status.CANCELLING)
        session.flush()
    return row


def retry(session: Session, experiment_id: str) -> Experiment:
    """Queue a failed or cancelled experiment again, with all its attempts before it; it takes up from its
    last checkpoint, if it has left one.

    Raises `NotFoundError`, and `ConflictError` in any other state and when its dataset was deleted.
    """
    before = get(session, experiment_id)
    _check_can_retry(before)
    # The dataset before the experiment, as its deletion locks them; held so that it can't go meanwhile.
    lock = select(Dataset.id).where(Dataset.id == before.dataset_id).with_for_update(key_share=True)
    dataset = session.scalar(lock)
    row = _locked(session, experiment_id)
    _check_can_retry(row)
    if dataset is None:
        raise ConflictError("its dataset was deleted; add the dataset and submit a new experiment")
    row.status = move(row.status, Status.QUEUED)
    row.crashes = 0
    row.error_type = row.error_message = None
    row.phase = row.done = row.total = row.unit = row.eta_seconds = None
    row.finished_at = row.published_at = None
    row.queued_at = session.scalars(select(func.now())).one()
    session.flush()
    datasets.resume_import(session, row)
    return row


def _check_can_retry(row: Experiment) -> None:
    if row.status not in (Status.FAILED, Status.CANCELLED):
        raise ConflictError(
            f"the experiment is {row.status}; only failed and cancelled ones can be tried again"
        )


def delete(session: Session, experiment_id: str) -> list[str]:
    """Delete a final experiment with its metrics and artifacts.

    Returns:
        The storage prefixes the caller removes once this is committed. A model it made stays.

    Raises `NotFoundError`, and `ConflictError` when it isn't final.
    """
    lock_final(session, experiment_id)
    session.execute(sql_delete(Experiment).where(Experiment.id == experiment_id))
    prefix = artifacts_prefix(experiment_id)
    loose_files.note(session, [prefix])
    return [prefix]


def lock_final(session: Session, experiment_id: str) -> None:
    """Hold an experiment as it is until the end; `NotFoundError`, and `ConflictError` unless it is final."""
    row = _locked(session, experiment_id)
    if Status(row.status) not in FINAL:
        raise ConflictError(f"the experiment is {row.status}; cancel it first")


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
    row = session.get(Artifact, (experiment_id, name))
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


def _locked(session: Session, experiment_id: str) -> Experiment:
    row = session.get(Experiment, experiment_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("experiment", experiment_id)
    return row
