"""Promise 20: a full disk, an unreadable corpus, a lack of memory. The job is `failed` with that reason, the
service stays up, and nothing half-written is served."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from api.app import create_app
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from db.tables import Artifact, Dataset, Model
from tests.api.conftest import BASE_URL, CORPUS, assert_problem, upload
from tests.reliability.small_disk import SmallDisk, small_disk
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until

StartWorker = Callable[[], WorkerProcess]


@pytest.fixture
def scratch_disk(settings: Settings) -> Iterator[SmallDisk]:
    """The scratch folder on a small disk."""
    with small_disk(settings.scratch_dir) as disk:
        yield disk


@pytest.fixture
def artifacts_disk(settings: Settings) -> Iterator[SmallDisk]:
    """The store on a small disk."""
    with small_disk(Path(settings.artifacts_url)) as disk:
        yield disk


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A client of the application."""
    with TestClient(create_app(settings), base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


def num_published(database: Database) -> int:
    """Rows of artifacts and models."""
    with database.session() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0 for table in (Artifact, Model)
        )


def test_a_job_without_space_for_its_results_fails_and_runs_once_there_is_some(
    artifacts_disk: SmallDisk,
    start_worker: StartWorker,
    submit: Submit,
    read: Read,
    database: Database,
    store: ArtifactStore,
) -> None:
    artifacts_disk.fill()
    start_worker()
    failing = submit("complete")
    wait_until(lambda: read(failing).status == "failed", "the experiment fails")
    row = read(failing)
    assert (row.error_type, row.attempt) == ("OSError", 1)
    assert "the disk is full" in (row.error_message or "")
    assert num_published(database) == 0
    artifacts_disk.make_space()
    wait_until(lambda: not stored_below(store, "experiments", "models"), "nothing half-written is left")
    again = submit("complete")
    wait_until(lambda: read(again).status == "succeeded", "the same experiment succeeds")


def test_a_job_without_space_for_its_scratch_files_fails_and_the_next_one_runs(
    scratch_disk: SmallDisk, start_worker: StartWorker, submit: Submit, read: Read, settings: Settings
) -> None:
    start_worker()
    first = submit("complete")
    wait_until(lambda: read(first).status == "succeeded", "the worker works")
    wait_until(lambda: not any(settings.scratch_dir.iterdir()), "its scratch files are removed")
    scratch_disk.fill()
    failing = submit("complete")
    wait_until(lambda: read(failing).status == "failed", "the experiment fails")
    assert "the disk is full" in (read(failing).error_message or "")
    scratch_disk.make_space()
    again = submit("complete")
    wait_until(lambda: read(again).status == "succeeded", "the same experiment succeeds")


@pytest.mark.parametrize("full", ["scratch_disk", "artifacts_disk"])
def test_a_corpus_there_is_no_space_for_is_refused_and_nothing_of_it_kept(
    request: pytest.FixtureRequest, settings: Settings, store: ArtifactStore, full: str
) -> None:
    disk: SmallDisk = request.getfixturevalue(full)
    client: TestClient = request.getfixturevalue("client")
    disk.fill()
    refused = client.post("/datasets", data={"name": "tales"}, files={"file": ("t.jsonl", CORPUS)})
    assert "disk space" in assert_problem(refused, 503)["detail"]
    assert client.get("/datasets").json()["data"] == []
    disk.make_space()
    assert not stored_below(store, "datasets")
    assert list(settings.scratch_dir.iterdir()) == []
    upload(client)


@pytest.mark.parametrize("damage", ["gone", "a folder", "no Parquet though its hash is right"])
def test_a_job_on_a_corpus_that_can_not_be_read_fails_with_that_reason_and_the_next_one_runs(
    start_worker: StartWorker,
    submit: Submit,
    read: Read,
    database: Database,
    store: ArtifactStore,
    dataset: Dataset,
    damage: str,
) -> None:
    path = store.local_path(dataset.storage_key)
    content = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage.startswith("no Parquet"):
        path.write_bytes(b"PAR1 and nothing of a table PAR1")
        state_hash(database, path)
    start_worker()
    failing = submit("read-corpus")
    wait_until(lambda: read(failing).status == "failed", "the experiment fails")
    assert (read(failing).attempt, num_published(database)) == (1, 0)
    assert "corpus" in (read(failing).error_message or "")
    if damage == "a folder":
        path.rmdir()
    path.write_bytes(content)
    state_hash(database, path)
    again = submit("complete")
    wait_until(lambda: read(again).status == "succeeded", "the next experiment succeeds")


@pytest.mark.parametrize("kind", ["out-of-memory", "out-of-gpu-memory", "out-of-address-space"])
def test_a_job_without_memory_fails_with_that_reason_and_the_next_one_runs(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, kind: str
) -> None:
    start_worker()
    failing, next_one = submit(kind), submit("complete")
    wait_until(lambda: read(failing).status == "failed", "the experiment fails")
    row = read(failing)
    assert (row.error_type, row.attempt) == (
        "OutOfMemoryError" if kind == "out-of-gpu-memory" else "MemoryError",
        1,
    )
    assert (row.error_message or "").startswith("out of memory: ")
    wait_until(lambda: read(next_one).status == "succeeded", "the next experiment succeeds")


def stored_below(store: ArtifactStore, *folders: str) -> list[str]:
    """Keys of the files in some folders of the store."""
    return [file.key for file in store.files() if file.key.split("/")[0] in folders]


def state_hash(database: Database, path: Path) -> None:
    """Let the only dataset's row state the hash of this file."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with database.session() as session:
        session.execute(update(Dataset).values(storage_sha256=digest))
