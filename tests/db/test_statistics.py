"""Counts of experiments, queues and workers."""

import pytest
from sqlalchemy import text

from db import experiments, statistics, workers
from db.experiments import NewExperiment
from db.session import Database
from db.states import Queue, Status
from db.statistics import QueueState
from db.tables import Dataset


def test_an_empty_database_has_empty_queues(database: Database) -> None:
    with database.session() as session:
        found = statistics.read(session)
    assert found.experiments == {}
    assert found.queues == dict.fromkeys(Queue, QueueState(0, 0.0))
    assert found.workers == []


def test_experiments_are_counted_by_kind_and_status_and_waiting_ones_by_queue(
    database: Database, dataset: Dataset
) -> None:
    with database.session() as session:
        ids = [
            experiments.add(session, NewExperiment(kind=kind, config={}, seed=0, dataset_id=dataset.id)).id
            for kind in ("train", "train", "classify")
        ]
    with database.session() as session:
        experiments.request_cancel(session, ids[0])
        session.execute(
            text("UPDATE experiments SET queue = 'cpu', queued_at = now() - interval '90 s' WHERE id = :id"),
            {"id": ids[2]},
        )
    with database.session() as session:
        found = statistics.read(session)
    assert found.experiments == {
        ("train", Status.CANCELLED): 1,
        ("train", Status.QUEUED): 1,
        ("classify", Status.QUEUED): 1,
    }
    assert found.queues[Queue.CPU].length == 1
    assert found.queues[Queue.CPU].oldest_seconds == pytest.approx(90, abs=30)
    assert found.queues[Queue.GPU].oldest_seconds < 30


def test_a_worker_that_names_no_queue_takes_them_all(database: Database) -> None:
    with database.session() as session:
        workers.show(session, "a", "cpu", [])
        workers.show(session, "b", "cpu", [Queue.CPU])
    with database.session() as session:
        found = {worker.name: worker.queues for worker in statistics.workers(session, 60)}
    assert found == {"a": frozenset(Queue), "b": frozenset({Queue.CPU})}


def test_workers_long_gone_are_left_out(database: Database) -> None:
    with database.session() as session:
        for name in ("old", "new"):
            workers.show(session, name, "cpu", [])
        session.execute(text("UPDATE workers SET seen_at = now() - interval '2 days' WHERE name = 'old'"))
    with database.session() as session:
        assert [worker.name for worker in statistics.read(session).workers] == ["new"]
