"""Numbers that only grow: how often something has happened since the database was made.

An increment is part of the transaction in which the thing happens, so none is lost and none is counted that
was rolled back. It locks the counter's row until then: count last, and `ATTEMPTS_CRASHED` before others.
"""

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.states import Status
from db.tables import Counter

_FINISHED = "experiments_finished"


class Name(StrEnum):
    """What is counted, besides ends of experiments."""

    ATTEMPTS_CRASHED = "attempts_crashed"
    """Attempts that ended without a word, those of lost leases among them."""
    LEASES_LOST = "leases_lost"
    """Experiments taken from a worker because it had stopped renewing its lease."""


class Counters(NamedTuple):
    """What has been counted."""

    events: dict[Name, int]
    """Every name, 0 for what never happened."""
    finished: dict[tuple[str, Status], int]
    """(kind, final status) → how many experiments ended so; a tried-again one ends several times."""


def increment(session: Session, name: Name, by: int = 1) -> None:
    """Count something, in the caller's transaction."""
    if by:
        _add(session, name, by)


def count_finished(session: Session, kind: str, status: Status) -> None:
    """Count an experiment's end, in the transaction that writes it."""
    _add(session, f"{_FINISHED}/{status}/{kind}", 1)


def read(session: Session) -> Counters:
    """All that has been counted."""
    rows = {row.name: row.value for row in session.execute(select(Counter.name, Counter.value))}
    finished = {}
    for key, value in rows.items():
        prefix, _, rest = key.partition("/")
        if prefix == _FINISHED:
            status, _, kind = rest.partition("/")
            finished[kind, Status(status)] = value
    return Counters({name: rows.get(name, 0) for name in Name}, finished)


def _add(session: Session, name: str, by: int) -> None:
    statement = insert(Counter).values(name=name, value=by)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Counter.name], set_={"value": Counter.value + statement.excluded.value}
        )
    )
