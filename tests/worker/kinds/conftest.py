"""The kinds as they really run: a supervisor, the process of the attempt, PostgreSQL, a tiny backbone."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from db import claims, datasets, experiments, metrics, models
from db.datasets import NewDataset
from db.experiments import NewExperiment
from db.metric_search import MetricRow
from db.metrics import MetricFilter
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from db.tables import Experiment, JSONObject, Model
from sip_model.corpora.document import Document
from sip_model.corpora.store import write_corpus
from sip_model.experiments.kinds import KINDS
from tests.sip_model.backbones.tiny import make_tiny_backbone
from tests.worker.conftest import wait_until
from tests.worker.gated_child import gates
from tests.worker.gated_worker import GATED
from tests.worker.processes import job_processes
from worker import child
from worker.assignment import Assignment
from worker.device import CPU
from worker.jobs.registry import find_job
from worker.process import Template
from worker.stopping import StopRequest
from worker.supervisor import Supervisor


class Predicted(TypedDict):
    """A source and its probability."""

    source: str
    probability: float


class Row(TypedDict):
    """A row of a table of predictions."""

    document: str
    start: int
    end: int
    predicted: list[Predicted]
    unknown: float
    split: NotRequired[str]
    sources: NotRequired[list[str]]


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny encoder with random weights."""
    return make_tiny_backbone(tmp_path_factory.mktemp("backbone"), "bert")


@pytest.fixture
def settings(settings: Settings, tiny_backbone: Path) -> Settings:
    """The worker tests' settings, with the tiny backbone; leases and stops outlast a busy machine."""
    return settings.model_copy(
        update={"backbone_folders": {"tiny": tiny_backbone}, "lease_seconds": 30.0, "stop_seconds": 20.0}
    )


@dataclass(frozen=True, slots=True)
class Results:
    """What an experiment left behind."""

    database: Database
    store: ArtifactStore
    experiment: Experiment

    def metrics(self) -> dict[tuple[str, str | None], float | None]:
        """Values without a step, by name and split."""
        return {(row.name, row.split): row.value for row in self._rows() if row.step is None}

    def steps(self, name: str) -> list[tuple[int | None, float | None]]:
        """Step and value of a metric that is recorded as training goes on."""
        return [(row.step, row.value) for row in self._rows() if row.name == name]

    def _rows(self) -> Sequence[MetricRow]:
        with self.database.session() as session:
            wanted = MetricFilter(experiments=(self.experiment.id,))
            return metrics.poll(session, wanted, limit=5000).rows

    def file(self, name: str) -> Path:
        """An artifact, verified."""
        with self.database.session() as session:
            row = experiments.artifact(session, self.experiment.id, name)
        return self.store.local_path(row.storage_key, row.sha256)

    def table(self, name: str) -> list[Row]:
        """The rows of a Parquet artifact."""
        return cast("list[Row]", pq.read_table(self.file(name)).to_pylist())

    def document(self, name: str) -> dict[str, Any]:
        """A JSON artifact."""
        return cast("dict[str, Any]", json.loads(self.file(name).read_text()))

    def model(self) -> Model:
        """The model it made."""
        assert self.experiment.model_id is not None
        with self.database.session() as session:
            return models.get(session, self.experiment.model_id)

    def model_folder(self) -> Path:
        """The files of that model, verified."""
        row = self.model()
        return self.store.local_folder(
            row.storage_key, {name: str(sha256) for name, sha256 in row.files.items()}
        )


AddDataset = Callable[[str, Sequence[Document]], str]


@pytest.fixture
def add_dataset(database: Database, store: ArtifactStore, tmp_path: Path) -> AddDataset:
    """Stores documents as a dataset; returns its id."""

    def add(name: str, documents: Sequence[Document]) -> str:
        path = tmp_path / f"{name}.parquet"
        summary = write_corpus(documents, path)
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
            return datasets.add(session, new, []).id

    return add


Queue = Callable[..., str]


@pytest.fixture
def queue(database: Database) -> Queue:
    """Queues an experiment, its configuration resolved the way the API does; returns its id."""

    def queue(
        kind: str,
        dataset_id: str,
        config: Mapping[str, object],
        *,
        model_id: str | None = None,
        seed: int = 3,
    ) -> str:
        adapter: TypeAdapter[object] = TypeAdapter(KINDS[kind])
        resolved = cast("JSONObject", adapter.dump_python(adapter.validate_python(config), mode="json"))
        new = NewExperiment(
            kind=kind, config=resolved, seed=seed, dataset_id=dataset_id, model_id=model_id, name=kind
        )
        with database.session() as session:
            return experiments.add(session, new).id

    return queue


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    """What the processes of attempts are forked from."""
    template = Template()
    yield template
    template.end()


@pytest.fixture(scope="session")
def gated() -> Iterator[Template]:
    """What processes are forked from that wait at a gate (`tests.worker.gated_child`)."""
    template = Template(GATED)
    yield template
    template.end()


@pytest.fixture
def supervisor(
    settings: Settings, database: Database, store: ArtifactStore, template: Template
) -> Supervisor:
    """A worker's supervisor; its `run` returns when the attempt is over."""
    return Supervisor(
        settings=settings,
        database=database,
        store=store,
        worker="test",
        device=CPU,
        stopping=threading.Event(),
        template=template,
    )


AT_GATE_SECONDS, END_SECONDS = 150, 60


@dataclass(frozen=True, slots=True)
class Gate:
    """A worker whose jobs wait at a gate, see :mod:`tests.worker.gated_child`."""

    supervisor: Supervisor
    settings: Settings

    def stop_at(self, experiment_id: str) -> None:
        """Run an attempt up to the gate and ask it to end there."""
        attempt = self._reach(experiment_id)
        self.supervisor.stopping.set()
        attempt.join(END_SECONDS)
        self.supervisor.stopping.clear()

    def kill_at(self, experiment_id: str) -> None:
        """Run an attempt up to the gate and kill it there."""
        attempt = self._reach(experiment_id)
        (job,) = job_processes(os.getpid())
        job.kill()
        attempt.join(END_SECONDS)

    def _reach(self, experiment_id: str) -> threading.Thread:
        reached = gates(self.settings) / "reached"
        reached.unlink(missing_ok=True)
        attempt = threading.Thread(target=self.supervisor.run, args=(experiment_id,))
        attempt.start()
        wait_until(reached.exists, "it is at the gate", AT_GATE_SECONDS)
        return attempt


@pytest.fixture
def gate(supervisor: Supervisor, gated: Template, settings: Settings) -> Gate:
    """Beside `supervisor`, whose jobs go through."""
    return Gate(replace(supervisor, template=gated), settings)


Look = Callable[[str], Results]


@pytest.fixture
def look(database: Database, store: ArtifactStore) -> Look:
    """What an experiment has left behind so far."""

    def look(experiment_id: str) -> Results:
        with database.session() as session:
            return Results(database, store, experiments.get(session, experiment_id))

    return look


Run = Callable[..., Results]


@pytest.fixture
def run(queue: Queue, settings: Settings, database: Database, look: Look, tmp_path: Path) -> Run:
    """Queues an experiment and carries it out as the process of an attempt does, but in this process: most of
    that one's time goes into importing what is imported here already."""

    def run(kind: str, dataset_id: str, config: Mapping[str, object], **options: object) -> Results:
        experiment_id = queue(kind, dataset_id, config, **options)
        with database.session() as session:
            claim = claims.claim(session, experiment_id, "test", settings.lease_seconds)
        assert claim is not None
        scratch = tmp_path / experiment_id
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
        return look(experiment_id)

    return run


@pytest.fixture
def run_in_process(queue: Queue, supervisor: Supervisor, look: Look) -> Run:
    """Queues an experiment and runs it as a worker does, in a process of its own."""

    def run(kind: str, dataset_id: str, config: Mapping[str, object], **options: object) -> Results:
        experiment_id = queue(kind, dataset_id, config, **options)
        supervisor.run(experiment_id)
        return look(experiment_id)

    return run
