"""Promise 3: a duplicated message starts nothing twice."""

import signal
from collections.abc import Callable
from pathlib import Path

from db import experiments, workers
from db.experiments import NewExperiment
from db.session import Database
from db.settings import Settings
from db.tables import Dataset
from tests.reliability.calls import all_taken, call_at_once
from tests.reliability.records import metric_values, stored_files
from tests.worker.conftest import Read, WorkerProcess, wait_until
from tests.worker.jobs import config, is_open, open_gate

NUM_WORKERS = 3
NUM_CALLS = 8


def test_of_eight_calls_at_once_for_one_experiment_one_runs_it(
    start_worker: Callable[[], WorkerProcess],
    read: Read,
    settings: Settings,
    database: Database,
    dataset: Dataset,
    gates: Path,
) -> None:
    started = [start_worker() for _ in range(NUM_WORKERS)]
    wait_until(lambda: _num_workers(database) == NUM_WORKERS, "all workers listen")
    new = NewExperiment(kind="wait", config=config(gates), seed=7, dataset_id=dataset.id, name="one")
    with database.session() as session:
        experiment_id = experiments.add(session, new).id
    call_at_once(settings.require_broker_url(), experiment_id, NUM_CALLS)
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    wait_until(all_taken(settings.require_broker_url()), "every call is taken while it runs")
    open_gate(gates, "go")
    wait_until(lambda: read(experiment_id).status == "succeeded", "the experiment succeeds")
    for worker in started:
        worker.send(signal.SIGTERM)
    assert [worker.wait() for worker in started] == [0] * NUM_WORKERS  # what they took is done with
    row = read(experiment_id)
    assert (row.attempt, row.crashes) == (1, 0)
    assert not is_open(gates, "started-2")
    # the one at the gate carries the attempt's number
    assert sorted(metric_values(database, experiment_id), key=str) == sorted(
        [
            ("eval/accuracy", None, 0.75),
            ("eval/nan", None, None),
            ("train/loss", 0, 1.0),
            ("train/loss", 1, 1.0),
            ("train/loss", 2, 1 / 3),
        ],
        key=str,
    )
    assert len(stored_files(settings)) == 2  # one report, one model


def _num_workers(database: Database) -> int:
    with database.session() as session:
        return len(workers.seen(session, within_seconds=60))
