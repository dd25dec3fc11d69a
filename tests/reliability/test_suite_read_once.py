"""A suite of 12 children on two workers, killed half-way and started again: each text is read once."""

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from db import datasets, experiments, metrics
from db.datasets import NewDataset
from db.experiments import NewExperiment
from db.metrics import MetricFilter
from db.publisher import announce
from db.session import Database
from db.settings import Settings
from db.states import Queue
from db.storage import ArtifactStore
from db.tables import Experiment, JSONObject
from sip_model.corpora.samples import kept_texts
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import ChunkConfig, SourcesConfig
from sip_model.experiments.suite import SuiteConfig
from tests.reliability.reading_child import GATED_SEED, reading_log, sha256_of
from tests.sip_model.backbones.tiny import make_tiny_backbone
from tests.worker.conftest import WorkerProcess, wait_until
from tests.worker.gated_child import gates
from tests.worker.kinds.corpora import CHUNK_WORDS, make_documents

BACKBONES = ("tiny", "small")
NUM_CHILDREN = 12
"""2 backbones x 2 datasets: 4 that fill the feature cache, and with 2 seeds 8 trainings."""
SUITE_SECONDS = 1000.0
"""A busy machine is slow to import a tensor library, 16 times; an idle one needs a minute for all of it."""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with two tiny backbones, and leases that a busy machine keeps."""
    folders = {name: make_tiny_backbone(tmp_path / name, "bert", seed) for seed, name in enumerate(BACKBONES)}
    return settings.model_copy(update={"backbone_folders": folders, "lease_seconds": 8.0})


@pytest.fixture
def corpora(database: Database, store: ArtifactStore, tmp_path: Path) -> dict[str, Path]:
    """Two small datasets, id → file; they have a source in common."""
    found = {}
    for name, sources in (("trees", ("ash", "birch", "cedar")), ("woods", ("cedar", "elm", "fir"))):
        path = tmp_path / f"{name}.parquet"
        summary = write_corpus(make_documents(sources), path)
        dataset_id = datasets.new_dataset_id()
        stored = store.put_file(f"datasets/{dataset_id}/corpus.parquet", path)
        new = NewDataset(
            id=dataset_id,
            name=name,
            format="jsonl",
            num_documents=summary.num_documents,
            num_sources=summary.num_sources,
            num_bytes=summary.num_bytes,
            sha256=summary.sha256,
            storage_key=stored.key,
            storage_sha256=stored.sha256,
        )
        with database.session() as session:
            datasets.add(session, new, [])
        found[dataset_id] = path
    return found


@pytest.fixture
def start_workers(settings: Settings) -> Iterator[Callable[[], list[WorkerProcess]]]:
    """Starts two workers, which end with the test."""
    started: list[WorkerProcess] = []

    def start() -> list[WorkerProcess]:
        two = [WorkerProcess(settings, "tests.reliability.reading_worker") for _ in range(2)]
        started.extend(two)
        return two

    yield start
    for worker in started:
        worker.kill()


@pytest.mark.timeout(2 * SUITE_SECONDS + 100)
def test_two_workers_killed_half_way_and_restarted_read_each_text_once_with_each_backbone(
    database: Database,
    settings: Settings,
    corpora: dict[str, Path],
    start_workers: Callable[[], list[WorkerProcess]],
) -> None:
    suite_id = _queue_suite(database, settings, list(corpora))
    workers = start_workers()
    wait_until(lambda: _num_at_the_gate(settings) == 2, "both workers train under the gate", SUITE_SECONDS)
    before = _children(database, suite_id)
    assert len(before) == NUM_CHILDREN
    assert any(child.status == "succeeded" for child in before)
    assert sum(child.status == "running" for child in before) == 2
    for worker in workers:
        worker.send(signal.SIGKILL)
        worker.wait()
    (gates(settings) / "go").touch()
    start_workers()
    wait_until(
        lambda: _read(database, suite_id).status in ("succeeded", "failed"), "the suite ends", SUITE_SECONDS
    )

    suite, children = _read(database, suite_id), _children(database, suite_id)
    assert (suite.status, suite.error_message, suite.attempt) == ("succeeded", None, 2)
    assert [child.status for child in children] == ["succeeded"] * NUM_CHILDREN
    killed = {child.id for child in before if child.status == "running"}
    assert [child.attempt for child in children] == [2 if child.id in killed else 1 for child in children]
    assert {child.seed for child in children if child.id in killed} == {GATED_SEED}

    # what the processes wrote down, whatever became of them
    read = Counter(tuple(json.loads(line)) for line in reading_log(settings).read_text().splitlines())
    texts = {sha256_of(text) for path in corpora.values() for text in _texts(path)}
    assert {key for key in read if key[1] in texts} == {
        (backbone, text) for backbone in BACKBONES for text in texts
    }
    # the background texts of the trainings too, of which no two are quite the same
    assert {key: times for key, times in read.items() if times > 1} == {}
    # and what is recorded of it
    for backbone in BACKBONES:
        assert _num_computed(database, suite_id, backbone) == len(texts)


def _queue_suite(database: Database, settings: Settings, dataset_ids: list[str]) -> str:
    blocks = {
        "backbone": {"dtype": "float32", "max_tokens": 64, "layers": [1, 3]},
        "chunk": {"num_words": CHUNK_WORDS},
        "training": {"epochs": 3},
    }
    suite = {
        "backbones": BACKBONES,
        "datasets": dataset_ids,
        "seeds": (0, GATED_SEED),
        "config": blocks,
    }
    adapter = TypeAdapter(SuiteConfig)
    config: JSONObject = adapter.dump_python(adapter.validate_python({"suite": suite}), mode="json")
    new = NewExperiment(kind="suite", config=config, seed=0, dataset_id=None, queue=Queue.CPU)
    with database.session() as session:
        suite_id = experiments.add(session, new).id
    announce(database, settings.require_broker_url(), {suite_id: Queue.CPU})
    return suite_id


def _num_at_the_gate(settings: Settings) -> int:
    return len(list(gates(settings).glob("reached-*")))


def _texts(path: Path) -> list[str]:
    return kept_texts(Corpus(path), ChunkConfig(num_words=CHUNK_WORDS), SourcesConfig(), [0])


def _read(database: Database, experiment_id: str) -> Experiment:
    with database.session() as session:
        return experiments.get(session, experiment_id)


def _children(database: Database, suite_id: str) -> list[Experiment]:
    with database.session() as session:
        return experiments.children(session, suite_id)


def _num_computed(database: Database, suite_id: str, backbone: str) -> float:
    wanted = MetricFilter(parents=(suite_id,), names=("system/features_computed",), backbones=(backbone,))
    with database.session() as session:
        return sum(row.value or 0 for row in metrics.poll(session, wanted, limit=5000).rows)
