"""What the database says of experiments, queues and workers, counted in a few queries that use indexes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import extract, func, select, text
from sqlalchemy.orm import Session

from db import counters
from db.counters import Counters
from db.states import Queue, Status
from db.tables import Experiment, Worker

REMEMBERED_SECONDS = 24 * 3600.0
"""Workers that haven't shown themselves for longer are left out."""
MAX_WORKERS = 1000
_STATEMENT_SECONDS = 2


class QueueState(NamedTuple):
    """The experiments that wait in a queue."""

    length: int
    oldest_seconds: float
    """How long the one that waits longest has been waiting; 0 when none waits."""


class WorkerState(NamedTuple):
    """A worker, and how long ago it last showed itself."""

    name: str
    queues: frozenset[Queue]
    """What it takes; nothing while the broker doesn't answer it."""
    seen_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """One look at everything, in one transaction."""

    experiments: dict[tuple[str, Status], int]
    """(kind, status) → how many there are."""
    queues: dict[Queue, QueueState]
    """Every queue."""
    workers: list[WorkerState]
    counters: Counters


def read(session: Session) -> Statistics:
    """Look at everything; no single query may take longer than 2 s."""
    session.execute(text(f"SET LOCAL statement_timeout = '{_STATEMENT_SECONDS}s'"))
    return Statistics(
        experiments=_experiments(session),
        queues=queues(session),
        workers=workers(session, REMEMBERED_SECONDS),
        counters=counters.read(session),
    )


def queues(session: Session) -> dict[Queue, QueueState]:
    """What waits in each queue."""
    age = extract("epoch", func.now() - func.min(Experiment.queued_at))
    statement = (
        select(Experiment.queue, func.count(), age)
        .where(Experiment.status == Status.QUEUED)
        .group_by(Experiment.queue)
    )
    found = {
        Queue(queue): QueueState(length, max(0.0, float(seconds)))
        for queue, length, seconds in session.execute(statement)
    }
    return {queue: found.get(queue, QueueState(0, 0.0)) for queue in Queue}


def workers(session: Session, within_seconds: float) -> list[WorkerState]:
    """Workers that have shown themselves recently, the latest first; `MAX_WORKERS` at most."""
    age = extract("epoch", func.now() - Worker.seen_at)
    statement = (
        select(Worker.name, Worker.queues, Worker.hears_calls, age)
        .where(Worker.seen_at > func.now() - timedelta(seconds=within_seconds))
        .order_by(Worker.seen_at.desc(), Worker.name)
        .limit(MAX_WORKERS)
    )
    return [
        # a worker that names no queue takes them all
        WorkerState(
            name, frozenset(map(Queue, queues or Queue) if hears_calls else ()), max(0.0, float(seconds))
        )
        for name, queues, hears_calls, seconds in session.execute(statement)
    ]


def _experiments(session: Session) -> dict[tuple[str, Status], int]:
    statement = select(Experiment.kind, Experiment.status, func.count()).group_by(
        Experiment.kind, Experiment.status
    )
    return {(kind, Status(status)): number for kind, status, number in session.execute(statement)}
