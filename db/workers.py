"""Rows of worker processes, by which the service knows whether anyone would run an experiment."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.states import Queue
from db.tables import Worker

_FORGET_SECONDS = 24 * 3600.0


def show(
    session: Session, name: str, device: str, queues: Sequence[Queue], *, hears_calls: bool = True
) -> None:
    """Note that a worker is there, on which device, which queues it listens to, and whether it can."""
    row = {
        "name": name,
        "device": device,
        "queues": list(queues),
        "hears_calls": hears_calls,
        "seen_at": func.now(),
    }
    statement = insert(Worker).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=[Worker.name], set_=row))


def leave(session: Session, name: str) -> None:
    """Note that a worker stops."""
    session.execute(delete(Worker).where(Worker.name == name))


def forget_dead(session: Session, after_seconds: float = _FORGET_SECONDS) -> None:
    """Delete workers that have not shown themselves for so long."""
    session.execute(delete(Worker).where(Worker.seen_at < func.now() - timedelta(seconds=after_seconds)))


def seen(session: Session, within_seconds: float) -> Sequence[Worker]:
    """Workers that have shown themselves recently, by name."""
    recent = Worker.seen_at > func.now() - timedelta(seconds=within_seconds)
    return session.scalars(select(Worker).where(recent).order_by(Worker.name)).all()
