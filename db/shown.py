"""What a client sees of an experiment that waits: the one place that knows.

A child that waits for what it needs is shown as queued, a parent that waits for its children as running.
"""

from sqlalchemy import ColumnElement, and_, case, or_

from db.states import Status
from db.tables import Experiment


def shown_status(row: Experiment) -> Status:
    """The status a client is told."""
    if row.status != Status.WAITING:
        return Status(row.status)
    return Status.RUNNING if row.parent_id is None else Status.QUEUED


def is_shown_as(status: str) -> ColumnElement[bool]:
    """Whether a row is shown with this status."""
    waiting = Experiment.status == Status.WAITING
    is_it = and_(Experiment.status == status, ~waiting)
    if status == Status.RUNNING:
        return or_(is_it, and_(waiting, Experiment.parent_id.is_(None)))
    if status == Status.QUEUED:
        return or_(is_it, and_(waiting, Experiment.parent_id.is_not(None)))
    return is_it


def shown_column() -> ColumnElement[str]:
    """`shown_status` as a column."""
    in_place = case((Experiment.parent_id.is_(None), Status.RUNNING.value), else_=Status.QUEUED.value)
    return case((Experiment.status == Status.WAITING, in_place), else_=Experiment.status)
