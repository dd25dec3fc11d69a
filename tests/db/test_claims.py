"""Claims: one owner at a time, and no write without the right token."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import text

from db import claims, experiments, metrics
from db.claims import Claim, Command, Failure, Progress
from db.errors import ConflictError, StaleClaimError
from db.metrics import MetricFilter, NewMetric
from db.session import Database
from db.states import Queue, Status
from db.tables import Experiment

FAILURE = Failure("Broken", "it broke")


def take(database: Database, experiment: Experiment, lease_seconds: float = 60) -> Claim:
    """Claim a queued experiment."""
    with database.session() as session:
        claim = claims.claim(session, experiment.id, "w", lease_seconds)
    assert claim is not None
    return claim


def read(database: Database, experiment: Experiment) -> Experiment:
    """The experiment's row as it is now."""
    with database.session() as session:
        return experiments.get(session, experiment.id)


def test_of_many_claimers_one_wins(database: Database, experiment: Experiment) -> None:
    def attempt(_: int) -> Claim | None:
        with database.session() as session:
            return claims.claim(session, experiment.id, "w", 60)

    with ThreadPoolExecutor(8) as pool:
        won = [claim for claim in pool.map(attempt, range(8)) if claim is not None]
    assert len(won) == 1
    assert read(database, experiment).attempt == 1


def test_every_claim_has_a_token_of_its_own(database: Database, experiment: Experiment) -> None:
    first = take(database, experiment)
    with database.session() as session:
        assert claims.release(session, first) is Status.QUEUED
    second = take(database, experiment)
    assert first.token != second.token
    assert (first.attempt, second.attempt) == (1, 2)


def test_a_stale_token_changes_nothing(database: Database, experiment: Experiment) -> None:
    take(database, experiment)
    stale = Claim(experiment.id, experiment.kind, uuid4(), 1)
    before = read(database, experiment)
    for write in (
        lambda s: claims.heartbeat(s, stale, 1000),
        lambda s: claims.record(
            s, stale, progress=None, new_metrics=[NewMetric(name="x", value=1)], dataset=None
        ),
        lambda s: claims.succeed(s, stale, artifacts=[], model=None),
        lambda s: claims.fail(s, stale, FAILURE),
        lambda s: claims.release(s, stale),
        lambda s: claims.crash(s, stale, FAILURE, 3),
    ):
        with pytest.raises(StaleClaimError), database.session() as session:
            write(session)
    after = read(database, experiment)
    assert (after.status, after.lease_expires_at) == (before.status, before.lease_expires_at)
    with database.session() as session:
        assert not metrics.poll(session, MetricFilter()).rows


def test_a_cancelled_attempt_can_only_end_cancelled(database: Database, experiment: Experiment) -> None:
    claim = take(database, experiment)
    with database.session() as session:
        experiments.request_cancel(session, experiment.id)
    with database.session() as session:
        assert claims.heartbeat(session, claim, 60) is Command.CANCEL
    with pytest.raises(StaleClaimError), database.session() as session:
        claims.succeed(session, claim, artifacts=[], model=None)
    with database.session() as session:
        assert claims.fail(session, claim, FAILURE) is Status.CANCELLED
    assert read(database, experiment).finished_at is not None


def test_a_queued_experiment_is_cancelled_at_once(database: Database, experiment: Experiment) -> None:
    with database.session() as session:
        assert experiments.request_cancel(session, experiment.id).status == Status.CANCELLED
    with database.session() as session:
        assert claims.claim(session, experiment.id, "w", 60) is None
    with pytest.raises(ConflictError), database.session() as session:
        experiments.request_cancel(session, experiment.id)


def test_only_expired_leases_are_reaped(database: Database, experiment: Experiment) -> None:
    take(database, experiment)
    with database.session() as session:
        assert claims.reap(session, 3) == []
    _expire(database)
    with database.session() as session:
        assert claims.reap(session, 3) == [(experiment.id, Status.QUEUED, Queue.GPU)]
    row = read(database, experiment)
    assert (row.crashes, row.error_type, row.claim_token) == (1, "WorkerLost", None)


def test_the_last_crash_fails_the_experiment(database: Database, experiment: Experiment) -> None:
    for expected in (Status.QUEUED, Status.QUEUED, Status.FAILED):
        claim = take(database, experiment)
        with database.session() as session:
            assert claims.crash(session, claim, FAILURE, 3) is expected
    assert read(database, experiment).error_message == "it broke; given up after 3 such attempts"


def test_a_cancelling_experiment_whose_worker_died_ends_cancelled(
    database: Database, experiment: Experiment
) -> None:
    take(database, experiment)
    with database.session() as session:
        experiments.request_cancel(session, experiment.id)
    _expire(database)
    with database.session() as session:
        assert claims.reap(session, 3) == [(experiment.id, Status.CANCELLED, Queue.GPU)]


def test_success_clears_the_error_of_an_earlier_attempt(database: Database, experiment: Experiment) -> None:
    claim = take(database, experiment)
    with database.session() as session:
        claims.crash(session, claim, FAILURE, 3)
    claim = take(database, experiment)
    progress = Progress(phase="train", done=1, total=2, unit="epochs", eta_seconds=1.5)
    with database.session() as session:
        claims.record(session, claim, progress=progress, new_metrics=[], dataset=None)
        claims.succeed(session, claim, artifacts=[], model=None)
    row = read(database, experiment)
    assert (row.status, row.error_type, row.phase, row.eta_seconds) == ("succeeded", None, "train", None)


def test_only_final_experiments_are_deleted(database: Database, experiment: Experiment) -> None:
    with pytest.raises(ConflictError), database.session() as session:
        experiments.delete(session, experiment.id)
    with database.session() as session:
        experiments.request_cancel(session, experiment.id)
        assert experiments.delete(session, experiment.id) == [f"experiments/{experiment.id}"]


def test_experiments_nobody_was_woken_for_are_found(database: Database, experiment: Experiment) -> None:
    def uncalled(*also_called: Queue, older_than_seconds: float = 0) -> dict[str, Queue]:
        with database.session() as session:
            return experiments.uncalled(
                session, older_than_seconds=older_than_seconds, also_called=also_called
            )

    assert uncalled() == {experiment.id: Queue.GPU}
    assert uncalled(older_than_seconds=60) == {}
    with database.session() as session:
        assert experiments.num_queued(session) == {Queue.GPU: 1, Queue.CPU: 0}
        experiments.mark_published(session, [experiment.id])
    assert uncalled() == uncalled(Queue.CPU) == {}
    assert uncalled(Queue.GPU) == {experiment.id: Queue.GPU}


def _expire(database: Database) -> None:
    with database.session() as session:
        session.execute(text("UPDATE experiments SET lease_expires_at = now() - interval '1 second'"))
