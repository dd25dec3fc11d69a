"""Promise 4: a job longer than the broker's visibility timeout runs once.

A call is settled as soon as a worker has heard it, so the broker has nothing it could deliver again.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.session import Database
from db.settings import Settings
from tests.reliability.calls import num_unacknowledged
from tests.reliability.impatient_worker import VISIBILITY_SECONDS
from tests.reliability.records import metric_values
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until
from tests.worker.jobs import is_open, open_gate

JOB_SECONDS = 4 * VISIBILITY_SECONDS


@pytest.fixture
def two_workers(settings: Settings) -> Iterator[None]:
    """One to run the job, and one with nothing to do but to hear a call that is delivered again."""
    workers = [WorkerProcess(settings, "tests.reliability.impatient_worker") for _ in range(2)]
    yield
    for worker in workers:
        worker.kill()


@pytest.mark.usefixtures("two_workers")
def test_a_job_of_four_visibility_timeouts_is_delivered_and_run_once(
    submit: Submit, read: Read, settings: Settings, database: Database, gates: Path
) -> None:
    experiment_id = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    since = time.monotonic()
    kept = 0
    while time.monotonic() - since < JOB_SECONDS:
        kept += num_unacknowledged(settings.require_broker_url())
        assert read(experiment_id).attempt == 1
        time.sleep(0.25)
    assert kept == 0, "the broker held the call of a running job, to deliver it again"
    open_gate(gates, "go")
    wait_until(lambda: read(experiment_id).status == "succeeded", "the experiment succeeds")
    assert (read(experiment_id).attempt, is_open(gates, "started-2")) == (1, False)
    assert len(metric_values(database, experiment_id)) == 5
