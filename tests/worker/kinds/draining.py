"""One worker alone: takes what is queued, one experiment after the other, until nothing is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from sqlalchemy import select

from db import claims, experiments
from db.experiments import NewExperiment
from db.metric_search import MetricRow
from db.session import Database
from db.settings import Settings
from db.states import Queue, Status
from db.tables import Experiment, JSONObject
from sip_model.experiments.suite import SuiteConfig
from worker import child
from worker.assignment import Assignment
from worker.jobs.registry import find_job
from worker.stopping import StopRequest

Drain = Callable[[], list[str]]
QueueSuite = Callable[..., str]


@pytest.fixture
def queue_suite(database: Database) -> QueueSuite:
    """Queues a suite with these keys of its block; returns its id."""

    def queue_suite(**suite: object) -> str:
        adapter = TypeAdapter(SuiteConfig)
        config: JSONObject = adapter.dump_python(adapter.validate_python({"suite": suite}), mode="json")
        new = NewExperiment(kind="suite", config=config, seed=0, dataset_id=None, queue=Queue.CPU)
        with database.session() as session:
            return experiments.add(session, new).id

    return queue_suite


@pytest.fixture
def drain(settings: Settings, database: Database, tmp_path: Path) -> Drain:
    """Runs what is queued, oldest first, in this process; returns the ids in the order they ran."""

    def next_queued() -> Iterator[str]:
        oldest = (
            select(Experiment.id).where(Experiment.status == Status.QUEUED).order_by(Experiment.queued_at)
        )
        while True:
            with database.session() as session:
                experiment_id = session.scalar(oldest.limit(1))
            if experiment_id is None:
                return
            yield experiment_id

    def drain() -> list[str]:
        ran = []
        for experiment_id in next_queued():
            with database.session() as session:
                claim = claims.claim(session, experiment_id, "test", settings.lease_seconds)
            assert claim is not None
            scratch = tmp_path / f"{experiment_id}-{claim.attempt}"
            scratch.mkdir()
            assignment = Assignment(
                settings=settings,
                experiment_id=experiment_id,
                kind=claim.kind,
                token=claim.token,
                attempt=claim.attempt,
                scratch=scratch,
                request_id=None,
                worker="test",
                device="cpu",
            )
            child._attempt(assignment, database, StopRequest(1.0), find_job)
            ran.append(experiment_id)
        return ran

    return drain


def final_values(rows: list[MetricRow], name: str) -> dict[str, float | None]:
    """Experiment → its value of a metric that has no steps."""
    return {row.experiment_id: row.value for row in rows if row.name == name and row.step is None}
