"""What happens to experiments, with real workers, their real processes, PostgreSQL and Redis."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from db import datasets, experiments, metrics, models, workers
from db.metrics import MetricFilter
from db.publisher import publish
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from db.tables import Dataset
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until
from tests.worker.jobs import is_open, open_gate

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


@pytest.mark.parametrize(
    ("kind", "message"),
    [("kill-itself", "SIGKILL"), ("leave-quietly", "status 0 and no result"), ("crash-natively", "SIGSEGV")],
)
def test_a_poison_experiment_is_given_up_and_the_queue_moves_on(
    start_worker: StartWorker, submit: Submit, read: Read, kind: str, message: str
) -> None:
    poison, harmless = submit(kind), submit("complete")
    start_worker()
    wait_until(lambda: read(harmless).status == "succeeded", "the other experiment succeeds")
    wait_until(lambda: read(poison).status == "failed", "the poison is given up")
    row = read(poison)
    assert (row.attempt, row.crashes, row.error_type) == (3, 3, "ProcessDied")
    assert message in (row.error_message or "")
    assert "given up after 3" in (row.error_message or "")


def test_a_running_experiment_is_cancelled_and_leaves_nothing(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, settings: Settings, gates: Path
) -> None:
    start_worker()
    experiment_id = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    pid = int((gates / "pid-1").read_text())
    with database.session() as session:
        assert experiments.request_cancel(session, experiment_id).status == "cancelling"
    wait_until(lambda: read(experiment_id).status == "cancelled", "the experiment is cancelled", seconds=5)
    assert not _is_alive(pid)
    wait_until(lambda: not any(settings.scratch_dir.iterdir()), "its private files are gone")
    assert not _stored_files(settings)


def test_an_experiment_that_ignores_sigterm_is_killed(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, gates: Path
) -> None:
    start_worker()
    experiment_id = submit("ignore-sigterm")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    with database.session() as session:
        experiments.request_cancel(session, experiment_id)
    wait_until(lambda: read(experiment_id).status == "cancelled", "the experiment is cancelled", seconds=5)


def test_sigterm_gives_the_experiment_back_at_no_cost(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, gates: Path
) -> None:
    worker = start_worker()
    experiment_id = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    worker.send(signal.SIGTERM)
    assert worker.wait(20) == 0
    row = read(experiment_id)
    assert (row.status, row.crashes, row.claim_token) == ("queued", 0, None)
    with database.session() as session:
        assert not workers.seen(session, 60)
    open_gate(gates, "go")
    start_worker()
    wait_until(lambda: read(experiment_id).status == "succeeded", "the next worker finishes it")
    assert read(experiment_id).attempt == 2


def test_the_experiment_of_a_killed_worker_is_taken_over(
    start_worker: StartWorker, submit: Submit, read: Read, gates: Path
) -> None:
    worker = start_worker()
    experiment_id = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    pid = int((gates / "pid-1").read_text())
    worker.send(signal.SIGKILL)
    wait_until(lambda: not _is_alive(pid), "the process ends with its worker")
    open_gate(gates, "go")
    start_worker()
    wait_until(lambda: read(experiment_id).status == "succeeded", "the next worker finishes it")
    row = read(experiment_id)
    assert (row.attempt, row.crashes, row.error_type) == (2, 1, None)


def test_a_stalled_worker_cannot_overwrite_its_successor(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, gates: Path, settings: Settings
) -> None:
    stalled = start_worker()
    experiment_id = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    child = int((gates / "pid-1").read_text())
    stalled.send(signal.SIGSTOP)
    os.kill(child, signal.SIGSTOP)
    open_gate(gates, "go")
    start_worker()
    wait_until(lambda: read(experiment_id).status == "succeeded", "the second worker finishes it")
    before = _everything(database, experiment_id), _stored_files(settings)
    os.kill(child, signal.SIGCONT)
    stalled.send(signal.SIGCONT)
    wait_until(lambda: not _is_alive(child), "the stalled attempt ends")
    stalled.send(signal.SIGTERM)
    assert stalled.wait(20) == 0
    assert (_everything(database, experiment_id), _stored_files(settings)) == before


def test_many_calls_for_one_experiment_start_it_once(
    start_worker: StartWorker, submit: Submit, read: Read, settings: Settings, database: Database
) -> None:
    experiment_id = submit("complete")
    for _ in range(8):
        assert publish(settings.require_broker_url(), experiment_id)
    start_worker()
    start_worker()
    wait_until(lambda: read(experiment_id).status == "succeeded", "the experiment succeeds")
    last = submit("complete")
    wait_until(lambda: read(last).status == "succeeded", "every call was heard")
    assert read(experiment_id).attempt == 1
    with database.session() as session:
        assert len(metrics.poll(session, MetricFilter(experiments=(experiment_id,))).rows) == 5


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


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _stored_files(settings: Settings) -> list[str]:
    root = Path(settings.artifacts_url)
    return sorted(str(p) for p in root.rglob("*") if p.is_file() and "datasets" not in p.parts)


def _everything(database: Database, experiment_id: str) -> tuple[object, ...]:
    with database.session() as session:
        row = experiments.get(session, experiment_id)
        return (
            {column.name: getattr(row, column.name) for column in row.__table__.columns},
            [(m.id, m.name, m.value) for m in metrics.poll(session, MetricFilter()).rows],
            [
                (a.name, a.sha256, a.storage_key)
                for a in experiments.artifacts(session, [experiment_id])[experiment_id]
            ],
            [(m.id, m.version) for m in models.page(session).rows],
            datasets.get(session, "lines").id,
        )
