"""Workers as processes, experiments for them, and a way to wait for what they do."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db import datasets, experiments
from db.datasets import NewDataset
from db.experiments import NewExperiment
from db.publisher import publish
from db.session import Database
from db.settings import Settings
from db.states import Queue
from db.storage import ArtifactStore
from db.tables import Dataset, Experiment
from tests.worker.jobs import config

_DEADLINE_SECONDS = 40.0


def wait_until(condition: Callable[[], bool], what: str, seconds: float = _DEADLINE_SECONDS) -> None:
    """Poll until `condition` holds; fails naming `what` when it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s for: {what}")
        time.sleep(0.02)


class WorkerProcess:
    """A worker in a process of its own.

    Args:
        module: what to start; it reads the settings from its standard input.
    """

    def __init__(self, settings: Settings, module: str = "tests.worker.worker_process") -> None:
        self._process = subprocess.Popen([sys.executable, "-m", module], stdin=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(settings.model_dump_json().encode() + b"\n")
        self._process.stdin.close()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def send(self, signum: signal.Signals) -> None:
        """Send a signal to the worker alone, not to its experiment's process."""
        self._process.send_signal(signum)

    def wait(self, seconds: float = _DEADLINE_SECONDS) -> int:
        """Wait for its end; returns its exit status."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        """End it at once, if it hasn't ended."""
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The test's settings, with leases short enough to wait for."""
    return settings.model_copy(
        update={"lease_seconds": 3.0, "heartbeat_seconds": 0.2, "sweep_seconds": 0.5, "stop_seconds": 2.0}
    )


@pytest.fixture
def start_worker(settings: Settings) -> Iterator[Callable[[], WorkerProcess]]:
    """Starts workers, which end with the test."""
    started: list[WorkerProcess] = []

    def start() -> WorkerProcess:
        started.append(WorkerProcess(settings))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture
def gates(tmp_path: Path) -> Path:
    """Folder of the files the jobs are steered through."""
    folder = tmp_path / "gates"
    folder.mkdir()
    return folder


@pytest.fixture
def dataset(database: Database, store: ArtifactStore, tmp_path: Path) -> Dataset:
    """A dataset of three lines."""
    corpus = tmp_path / "corpus"
    corpus.write_text("one\ntwo\nthree\n")
    dataset_id = datasets.new_dataset_id()
    stored = store.put_file(f"datasets/{dataset_id}/corpus", corpus)
    new = NewDataset(
        id=dataset_id,
        name="lines",
        format="text",
        num_documents=3,
        num_sources=0,
        num_bytes=14,
        sha256="0" * 64,
        storage_key=stored.key,
        storage_sha256=stored.sha256,
    )
    with database.session() as session:
        return datasets.add(session, new, [])


Submit = Callable[[str], str]


@pytest.fixture
def submit(database: Database, settings: Settings, dataset: Dataset, gates: Path) -> Submit:
    """Queues an experiment of a test kind and wakes a worker for it; returns its id."""

    def submit(kind: str) -> str:
        new = NewExperiment(kind=kind, config=config(gates), seed=7, dataset_id=dataset.id, name=kind)
        with database.session() as session:
            experiment_id = experiments.add(session, new).id
        publish(settings.require_broker_url(), experiment_id, Queue.GPU)
        return experiment_id

    return submit


Read = Callable[[str], Experiment]


@pytest.fixture
def read(database: Database) -> Read:
    """Reads an experiment's row."""

    def read(experiment_id: str) -> Experiment:
        with database.session() as session:
            return experiments.get(session, experiment_id)

    return read
