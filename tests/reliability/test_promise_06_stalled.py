"""Promise 6: a stalled worker can't overwrite its successor."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from db import claims, experiments
from db.claims import Claim, Failure, NewArtifact, Progress
from db.errors import StaleClaimError
from db.experiments import NewExperiment
from db.metrics import NewMetric
from db.models import NewModel
from db.session import Database
from db.settings import Settings
from db.storage import StoredFile
from db.tables import Dataset
from tests.reliability.processes import is_alive, job_pid
from tests.reliability.records import all_rows, stored_files
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until
from tests.worker.jobs import is_open, open_gate

Write = Callable[[Session, Claim], object]


class Overtaken(NamedTuple):
    """An experiment that two attempts think they own."""

    stalled: Claim
    successor: Claim


@pytest.fixture
def overtaken(database: Database, dataset: Dataset) -> Overtaken:
    """The lease of the first attempt ran out, the second one runs."""
    with database.session() as session:
        row = experiments.add(session, NewExperiment(kind="wait", config={}, seed=1, dataset_id=dataset.id))
        stalled = claims.claim(session, row.id, "A", 60)
    with database.session() as session:
        session.execute(text("UPDATE experiments SET lease_expires_at = now() - interval '1 second'"))
    with database.session() as session:
        claims.reap(session, max_attempts=3)
        successor = claims.claim(session, row.id, "B", 60)
    assert stalled is not None
    assert successor is not None
    return Overtaken(stalled, successor)


def _heartbeat(session: Session, claim: Claim) -> object:
    return claims.heartbeat(session, claim, lease_seconds=1000)


def _metrics(session: Session, claim: Claim) -> object:
    progress = Progress(phase="train", done=9, total=9, unit="epochs")
    values = [NewMetric(name="train/loss", value=9.0, step=9)]
    claims.record(session, claim, progress=progress, new_metrics=values, dataset="lines")
    return None


def _checkpoint(session: Session, claim: Claim) -> object:
    return claims.keep_checkpoint(session, claim, StoredFile("of/the/stalled", 1, "0" * 64))


def _artifacts(session: Session, claim: Claim) -> object:
    stored = StoredFile("of/the/stalled", 1, "0" * 64)
    artifact = NewArtifact(name="report", media_type="text/plain", stored=stored)
    model = NewModel(
        id="mdl_stalled", name="m", storage_key="of/the", files={"stalled": stored}, card={}, sources=["a"]
    )
    return claims.succeed(session, claim, artifacts=[artifact], model=model)


def _finish(session: Session, claim: Claim) -> object:
    return claims.fail(session, claim, Failure("Late", "too late"))


def _give_back(session: Session, claim: Claim) -> object:
    return claims.release(session, claim)


def _crash(session: Session, claim: Claim) -> object:
    return claims.crash(session, claim, Failure("Late", "too late"), max_attempts=1)


@pytest.mark.parametrize(
    "write",
    [_heartbeat, _metrics, _checkpoint, _artifacts, _finish, _give_back, _crash],
    ids=lambda w: w.__name__,
)
def test_a_late_write_changes_nothing_while_the_successor_runs(
    overtaken: Overtaken, database: Database, write: Write
) -> None:
    before = all_rows(database)
    with pytest.raises(StaleClaimError), database.session() as session:
        write(session, overtaken.stalled)
    assert all_rows(database) == before


@pytest.mark.parametrize(
    "write",
    [_heartbeat, _metrics, _checkpoint, _artifacts, _finish, _give_back, _crash],
    ids=lambda w: w.__name__,
)
def test_a_late_write_changes_nothing_once_the_successor_is_done(
    overtaken: Overtaken, database: Database, write: Write
) -> None:
    with database.session() as session:
        claims.succeed(session, overtaken.successor, artifacts=[], model=None)
    before = all_rows(database)
    with pytest.raises(StaleClaimError), database.session() as session:
        write(session, overtaken.stalled)
    assert all_rows(database) == before


def test_a_worker_that_wakes_up_late_leaves_all_as_its_successor_left_it(
    start_worker: Callable[[], WorkerProcess],
    submit: Submit,
    read: Read,
    database: Database,
    gates: Path,
    settings: Settings,
) -> None:
    stalled = start_worker()
    experiment_id = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    child = job_pid(gates)
    stalled.send(signal.SIGSTOP)
    os.kill(child, signal.SIGSTOP)
    open_gate(gates, "go")
    successor = start_worker()
    wait_until(lambda: read(experiment_id).status == "succeeded", "the second worker finishes it")
    successor.send(signal.SIGTERM)
    assert successor.wait(20) == 0
    assert read(experiment_id).attempt == 2
    before, files = all_rows(database), stored_files(settings)
    assert len(files) == 2
    os.kill(child, signal.SIGCONT)
    stalled.send(signal.SIGCONT)
    wait_until(lambda: not is_alive(child), "the stalled attempt ends")
    stalled.send(signal.SIGTERM)
    assert stalled.wait(20) == 0
    assert stored_files(settings) == files
    after = all_rows(database)
    # sweepers go over the list of files that nobody published all the while
    for rows in (before, after):
        del rows["loose_files"]
    assert after == before
