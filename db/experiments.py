"""Rows of experiments as a client sees them; how workers own them is in `db.claims`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import case, func, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.errors import ConflictError, NotFoundError
from db.ids import new_id
from db.paging import Order, Page, fetch_page
from db.states import FINAL, Status, move
from db.tables import Artifact, Experiment, JSONObject


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
    elif row.status == Status.RUNNING:
        row.status = move(row.status, Status.CANCELLING)
    session.flush()
    return row


def delete(session: Session, experiment_id: str) -> list[str]:
    """Delete a final experiment with its metrics and artifacts.

    Returns:
        The storage prefixes the caller removes once this is committed. A model it made stays.

    Raises `NotFoundError`, and `ConflictError` when it isn't final.
    """
    row = _locked(session, experiment_id)
    if Status(row.status) not in FINAL:
        raise ConflictError(f"the experiment is {row.status}; cancel it first")
    session.execute(sql_delete(Experiment).where(Experiment.id == experiment_id))
    return [artifacts_prefix(experiment_id)]


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


def unpublished(
    session: Session, *, older_than_seconds: float, also_published: bool, limit: int = 100
) -> list[str]:
    """Ids of queued experiments nobody seems to have been woken for, oldest first.

    Args:
        older_than_seconds: leave out those queued, or published, more recently than this.
        also_published: include those a wake-up call was sent for; right when no call is left at the broker.
    """
    since = case((Experiment.published_at.is_(None), Experiment.queued_at), else_=Experiment.published_at)
    statement = (
        select(Experiment.id)
        .where(Experiment.status == Status.QUEUED)
        .where(since < func.now() - timedelta(seconds=older_than_seconds))
    )
    if not also_published:
        statement = statement.where(Experiment.published_at.is_(None))
    return list(session.scalars(statement.order_by(Experiment.queued_at).limit(limit)))


def _locked(session: Session, experiment_id: str) -> Experiment:
    row = session.get(Experiment, experiment_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("experiment", experiment_id)
    return row
