"""Promise 5: killed in mid-training, a run goes on from its checkpoint and ends with the same numbers."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from pydantic import TypeAdapter

from db import datasets, experiments
from db.datasets import NewDataset
from db.experiments import NewExperiment
from db.publisher import announce
from db.session import Database
from db.settings import Settings
from db.states import Queue
from db.storage import ArtifactStore
from db.tables import JSONObject
from sip_model.corpora.store import write_corpus
from sip_model.experiments.train import TrainConfig
from tests.sip_model.backbones.tiny import make_tiny_backbone
from tests.worker.conftest import Read, WorkerProcess, wait_until
from tests.worker.gated_child import GATE_EPOCH, gates
from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import Results
from tests.worker.kinds.corpora import make_documents
from tests.worker.processes import job_processes

CONFIG = train_config(checkpoint_seconds=1e-6, epochs=12, patience=12)
"""A checkpoint after every epoch."""
TAKE_OVER_SECONDS = 2.0
"""What noticing may take on top of lease and sweep: both are looked at now and then."""
TRAIN_SECONDS = 120.0
"""A busy machine is slow to import a tensor library."""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a tiny backbone."""
    folder = make_tiny_backbone(tmp_path / "backbone", "bert")
    return settings.model_copy(update={"backbone_folders": {"tiny": folder}})


@pytest.fixture
def corpus(database: Database, store: ArtifactStore, tmp_path: Path) -> str:
    """A small dataset; its id."""
    path = tmp_path / "corpus.parquet"
    summary = write_corpus(make_documents(("ash", "birch", "cedar")), path)
    dataset_id = datasets.new_dataset_id()
    stored = store.put_file(f"datasets/{dataset_id}/corpus.parquet", path)
    new = NewDataset(
        id=dataset_id,
        name="trees",
        format="jsonl",
        num_documents=summary.num_documents,
        num_sources=summary.num_sources,
        num_bytes=summary.num_bytes,
        sha256=summary.sha256,
        storage_key=stored.key,
        storage_sha256=stored.sha256,
    )
    with database.session() as session:
        return datasets.add(session, new, []).id


@pytest.fixture
def worker(settings: Settings) -> Iterator[WorkerProcess]:
    """A worker whose training waits at a gate in its fifth epoch."""
    worker = WorkerProcess(settings, "tests.worker.gated_worker")
    yield worker
    worker.kill()


@pytest.fixture
def successor(settings: Settings) -> Iterator[WorkerProcess]:
    """Another one, which takes over."""
    worker = WorkerProcess(settings, "tests.worker.gated_worker")
    yield worker
    worker.kill()


def queue_training(database: Database, settings: Settings, dataset_id: str) -> str:
    """Queue the same training once more; returns its id."""
    adapter = TypeAdapter(TrainConfig)
    config = cast("JSONObject", adapter.dump_python(adapter.validate_python(CONFIG), mode="json"))
    new = NewExperiment(kind="train", config=config, seed=3, dataset_id=dataset_id)
    with database.session() as session:
        experiment_id = experiments.add(session, new).id
    announce(database, settings.require_broker_url(), {experiment_id: Queue.GPU})
    return experiment_id


def test_a_training_killed_at_a_gate_ends_as_if_nothing_had_happened(
    worker: WorkerProcess,
    successor: WorkerProcess,
    corpus: str,
    settings: Settings,
    database: Database,
    store: ArtifactStore,
    read: Read,
) -> None:
    experiment_id = queue_training(database, settings, corpus)
    folder = gates(settings)
    wait_until((folder / "reached").exists, "it trains", TRAIN_SECONDS)
    killed_pid = int(str(read(experiment_id).worker).split(":")[1])
    killed, other = (worker, successor) if worker.pid == killed_pid else (successor, worker)
    (job,) = job_processes(killed.pid)
    job.kill()
    killed.send(signal.SIGKILL)
    killed_at = time.monotonic()
    (folder / "go").touch()
    limit = settings.lease_seconds + settings.sweep_seconds + TAKE_OVER_SECONDS
    wait_until(lambda: read(experiment_id).attempt == 2, "the other worker takes over", limit)
    assert time.monotonic() - killed_at < limit
    wait_until(lambda: read(experiment_id).status == "succeeded", "it ends", TRAIN_SECONDS)
    row = read(experiment_id)
    assert str(row.worker).split(":")[1] == str(other.pid)
    assert (row.attempt, row.crashes, row.resumed_from_step) == (2, 1, GATE_EPOCH - 1)
    assert row.checkpoint_key is None

    uninterrupted = queue_training(database, settings, corpus)
    wait_until(lambda: read(uninterrupted).status == "succeeded", "the other one ends", TRAIN_SECONDS)
    assert read(uninterrupted).attempt == 1
    resumed, expected = (Results(database, store, read(name)) for name in (experiment_id, uninterrupted))
    assert resumed.model().files["identifier.safetensors"] == expected.model().files["identifier.safetensors"]
    for name in ("train/loss", "validation/loss"):
        assert resumed.steps(name) == expected.steps(name)
    assert scores(resumed) == scores(expected)
    assert "eval/accuracy" in {name for name, _ in scores(resumed)}


def scores(results: Results) -> dict[tuple[str, str | None], float | None]:
    """All final values but those of the machine."""
    return {key: value for key, value in results.metrics().items() if not key[0].startswith("system/")}
