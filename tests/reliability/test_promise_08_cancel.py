"""Promise 8: cancel works for queued and running jobs."""

import time
from collections.abc import Callable
from pathlib import Path

from db import experiments, models
from db.publisher import publish
from db.session import Database
from db.settings import Settings
from db.states import Queue
from tests.reliability.processes import is_alive, job_pid, resident_bytes
from tests.reliability.records import all_rows, scratch_folders, stored_files
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until
from tests.worker.jobs import HELD_BYTES, is_open

StartWorker = Callable[[], WorkerProcess]
CANCEL_SECONDS = 5.0


def test_a_queued_experiment_is_cancelled_at_once_and_never_runs(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, settings: Settings, gates: Path
) -> None:
    cancelled = submit("wait")
    assert _cancel(database, cancelled) == "cancelled"
    publish(settings.require_broker_url(), cancelled, Queue.GPU)
    later = submit("complete")
    start_worker()
    wait_until(lambda: read(later).status == "succeeded", "the experiment after it succeeds")
    row = read(cancelled)
    assert (row.status, row.attempt, row.worker, row.started_at) == ("cancelled", 0, None, None)
    assert row.finished_at is not None
    assert not is_open(gates, "started-1")


def test_a_running_experiment_frees_its_memory_and_leaves_nothing(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, settings: Settings, gates: Path
) -> None:
    worker = start_worker()
    experiment_id = submit("hold-memory")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    child, held = job_pid(gates), resident_bytes(worker.pid)
    assert held > HELD_BYTES
    asked_at = time.monotonic()
    assert _cancel(database, experiment_id) == "cancelling"
    _await_cancelled(read, experiment_id, asked_at)
    assert not is_alive(child)
    assert resident_bytes(worker.pid) < held - HELD_BYTES
    _assert_nothing_left(database, settings)
    later = submit("complete")
    wait_until(lambda: read(later).status == "succeeded", "the worker takes the next experiment")


def test_an_experiment_that_stores_its_results_leaves_none_of_them(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, settings: Settings, gates: Path
) -> None:
    start_worker()
    experiment_id = submit("stick-while-storing")
    wait_until(lambda: len(stored_files(settings)) >= 1, "its first file is stored")
    asked_at = time.monotonic()
    assert _cancel(database, experiment_id) == "cancelling"
    _await_cancelled(read, experiment_id, asked_at)
    assert not is_alive(job_pid(gates))
    _assert_nothing_left(database, settings)


def test_an_experiment_that_ignores_sigterm_is_killed(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, settings: Settings, gates: Path
) -> None:
    start_worker()
    experiment_id = submit("ignore-sigterm")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    asked_at = time.monotonic()
    assert _cancel(database, experiment_id) == "cancelling"
    _await_cancelled(read, experiment_id, asked_at)
    assert not is_alive(job_pid(gates))
    _assert_nothing_left(database, settings)


def _cancel(database: Database, experiment_id: str) -> str:
    with database.session() as session:
        return experiments.request_cancel(session, experiment_id).status


def _await_cancelled(read: Read, experiment_id: str, asked_at: float) -> None:
    left = CANCEL_SECONDS - (time.monotonic() - asked_at)
    wait_until(lambda: read(experiment_id).status == "cancelled", "the experiment is cancelled", seconds=left)
    row = read(experiment_id)
    assert (row.attempt, row.crashes, row.claim_token) == (1, 0, None)


def _assert_nothing_left(database: Database, settings: Settings) -> None:
    wait_until(lambda: not scratch_folders(settings), "its private files are gone")
    wait_until(lambda: not stored_files(settings), "what it stored is gone")
    wait_until(lambda: not all_rows(database)["loose_files"], "nothing is left to be deleted")
    with database.session() as session:
        assert models.page(session).rows == []
    assert all_rows(database)["artifacts"] == []
