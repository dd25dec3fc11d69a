"""Rows of worker processes, by which the service knows whether anyone would run an experiment."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.tables import Worker


def show(session: Session, name: str, device: str) -> None:
    """Note that a worker is there."""
    row = {"name": name, "device": device, "seen_at": func.now()}
    statement = insert(Worker).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=[Worker.name], set_=row))


def leave(session: Session, name: str) -> None:
    """Note that a worker stops."""
    session.execute(delete(Worker).where(Worker.name == name))


def seen(session: Session, within_seconds: float) -> Sequence[Worker]:
    """Workers that have shown themselves recently, by name."""
    recent = Worker.seen_at > func.now() - timedelta(seconds=within_seconds)
    return session.scalars(select(Worker).where(recent).order_by(Worker.name)).all()
