"""What happens to experiments, with real workers, their real processes, PostgreSQL and Redis."""

from collections.abc import Callable
from pathlib import Path

import pytest

from db import experiments, metrics, models
from db.metrics import MetricFilter
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from db.tables import Dataset
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until

StartWorker = Callable[[], WorkerProcess]


def test_an_experiment_leaves_its_metrics_artifacts_and_model(
    start_worker: StartWorker,
    submit: Submit,
    read: Read,
    database: Database,
    store: ArtifactStore,
    dataset: Dataset,
) -> None:
    start_worker()
    experiment_id = submit("complete")
    wait_until(lambda: read(experiment_id).status == "succeeded", "the experiment succeeds")
    row = read(experiment_id)
    assert (row.attempt, row.phase, row.done, row.total, row.unit) == (1, "train", 3, 3, "steps")
    assert row.started_at is not None
    assert row.finished_at is not None
    with database.session() as session:
        rows = metrics.poll(session, MetricFilter(experiments=(experiment_id,))).rows
        (artifact,) = experiments.artifacts(session, [experiment_id])[experiment_id]
        model = models.get(session, "default")
    assert [(r.name, r.step) for r in rows if r.name == "train/loss"] == [("train/loss", s) for s in range(3)]
    assert {r.name: r.value for r in rows if r.step is None} == {"eval/accuracy": 0.75, "eval/nan": None}
    assert {(r.seed, r.dataset) for r in rows} == {(7, "lines")}
    assert store.local_path(artifact.storage_key, artifact.sha256).read_text() == '{"lines": 3}'
    assert (model.id, model.name, model.version, model.sources) == (row.model_id, "complete", 1, ["a", "b"])
    assert model.dataset_id == dataset.id
    folder = store.local_folder(model.storage_key, {k: str(v) for k, v in model.files.items()})
    assert (folder / "weights.bin").read_bytes() == bytes(range(256))


def test_a_failed_experiment_says_why_and_keeps_its_metrics(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database
) -> None:
    start_worker()
    experiment_id = submit("refuse")
    wait_until(lambda: read(experiment_id).status == "failed", "the experiment fails")
    row = read(experiment_id)
    assert row.error_type == "CorpusError"
    assert row.error_message == "line 3.source: expected a name; found nothing. Name the source"
    assert row.attempt == 1
    with database.session() as session:
        assert len(metrics.poll(session, MetricFilter(experiments=(experiment_id,))).rows) == 1


@pytest.mark.parametrize(
    ("kind", "error_type", "message"),
    [("out-of-memory", "MemoryError", "out of memory"), ("disk-full", "OSError", "the disk is full")],
)
def test_lack_of_memory_and_disk_are_named(
    start_worker: StartWorker, submit: Submit, read: Read, kind: str, error_type: str, message: str
) -> None:
    start_worker()
    experiment_id = submit(kind)
    wait_until(lambda: read(experiment_id).status == "failed", "the experiment fails")
    row = read(experiment_id)
    assert (row.error_type, row.attempt) == (error_type, 1)
    assert message in (row.error_message or "")


def test_an_experiment_nobody_was_woken_for_runs_all_the_same(
    start_worker: StartWorker, read: Read, database: Database, dataset: Dataset
) -> None:
    new = experiments.NewExperiment(
        kind="complete", config={"gates": "", "steps": 1}, seed=1, dataset_id=dataset.id
    )
    with database.session() as session:
        experiment_id = experiments.add(session, new).id
    start_worker()
    wait_until(lambda: read(experiment_id).status == "succeeded", "the sweeper found it")
    with database.session() as session:
        assert models.get(session, "default").name == "lines"  # an unnamed experiment's model: the dataset's


def test_nothing_is_left_when_a_result_cannot_be_stored(
    start_worker: StartWorker, submit: Submit, read: Read, settings: Settings
) -> None:
    start_worker()
    experiment_id = submit("missing-file")
    wait_until(lambda: read(experiment_id).status == "failed", "the experiment fails")
    assert read(experiment_id).error_type == "FileNotFoundError"
    wait_until(lambda: not _stored_files(settings), "what was stored is gone")


def test_a_damaged_corpus_is_refused(
    start_worker: StartWorker, submit: Submit, read: Read, store: ArtifactStore, dataset: Dataset
) -> None:
    store.local_path(dataset.storage_key).write_text("altered")
    start_worker()
    experiment_id = submit("complete")
    wait_until(lambda: read(experiment_id).status == "failed", "the experiment fails")
    assert "damaged" in (read(experiment_id).error_message or "")


def _stored_files(settings: Settings) -> list[str]:
    root = Path(settings.artifacts_url)
    return sorted(str(p) for p in root.rglob("*") if p.is_file() and "datasets" not in p.parts)
