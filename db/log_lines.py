"""An experiment's log: what has happened to it, one line each, written in the transaction that did it.

Whoever writes a line holds the experiment's row until the end, so that the lines of one experiment become
visible in the order of their ids, and an id serves as a cursor.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.tables import Experiment, LogLine


class Level(StrEnum):
    """How much a line matters."""

    INFO = "info"
    WARNING = "warning"
    """It goes on, but not as it was meant to."""
    ERROR = "error"


class LogPage(NamedTuple):
    """Lines in their order, and whether more follow."""

    lines: Sequence[LogLine]
    has_more: bool


def note(session: Session, experiment: Experiment, message: str, level: Level = Level.INFO) -> None:
    """Add a line to the log of an experiment that this transaction holds."""
    note_each(session, [(experiment, message)], level)


def note_each(session: Session, lines: Iterable[tuple[Experiment, str]], level: Level = Level.INFO) -> None:
    """Add a line each to the logs of experiments that this transaction holds."""
    rows = [
        {"experiment_id": experiment.id, "attempt": experiment.attempt, "level": level, "message": message}
        for experiment, message in lines
    ]
    if rows:
        session.flush()
        session.execute(insert(LogLine), rows)


def read(session: Session, experiment_id: str, *, since: int = 0, limit: int = 1000) -> LogPage:
    """The lines of an experiment after the one whose id is `since`, at most `limit` of them."""
    statement = (
        select(LogLine)
        .where(LogLine.experiment_id == experiment_id, LogLine.id > since)
        .order_by(LogLine.id)
        .limit(limit + 1)
    )
    found = session.scalars(statement).all()
    return LogPage(found[:limit], len(found) > limit)
