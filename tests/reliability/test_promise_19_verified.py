"""Promise 19: artifacts are verified. A truncated or altered file is a clear error; pickle is refused."""

import ast
import json
import pickle
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from api.app import create_app
from db import models
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from db.tables import Artifact, Dataset, Model
from sip_model.backbones.info import read_info
from sip_model.errors import ArtifactError, BackboneError
from sip_model.identifiers.artifact import load_artifact
from tests.api.conftest import BASE_URL, assert_problem, upload
from tests.api.trained import publish_trained_model
from tests.reliability.pickles import poisoned_pickle
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until

StartWorker = Callable[[], WorkerProcess]
Damage = Callable[[Path], None]


def truncate(path: Path) -> None:
    """Cut the last byte off."""
    path.write_bytes(path.read_bytes()[:-1])


def alter(path: Path) -> None:
    """Turn one bit over."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = pytest.mark.parametrize("damage", [truncate, alter, Path.unlink])


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A client of the application."""
    with TestClient(create_app(settings), base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def model(client: TestClient, database: Database, store: ArtifactStore, tmp_path: Path) -> Model:
    """A trained model, the default."""
    upload(client)
    experiment = client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"]
    model_id = publish_trained_model(database, store, tmp_path, experiment, "lexical")
    with database.session() as session:
        return models.get(session, model_id)


@DAMAGES
@pytest.mark.parametrize("name", ["model.json", "identifier.safetensors", "evidence.safetensors"])
def test_a_damaged_model_answers_nothing_and_is_named(
    client: TestClient, model: Model, store: ArtifactStore, damage: Damage, name: str
) -> None:
    key = f"{model.storage_key}/{name}"
    damage(store.local_path(key))
    problem = assert_problem(client.post("/classify", json={"input": "The sea"}), 503)
    assert key in problem["detail"]
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "down")
    assert key in ready.json()["checks"]["default_model"]["detail"]
    assert key in assert_problem(client.get(f"/models/{model.id}/download"), 503)["detail"]


@DAMAGES
def test_a_damaged_artifact_is_not_sent(
    client: TestClient, model: Model, store: ArtifactStore, database: Database, tmp_path: Path, damage: Damage
) -> None:
    (tmp_path / "report.json").write_text('{"lines": 3}')
    assert model.experiment_id is not None
    stored = store.put_file(f"experiments/{model.experiment_id}/1/report.json", tmp_path / "report.json")
    with database.session() as session:
        session.add(
            Artifact(
                experiment_id=model.experiment_id,
                name="report.json",
                media_type="application/json",
                bytes=stored.num_bytes,
                sha256=stored.sha256,
                storage_key=stored.key,
            )
        )
    path = f"/experiments/{model.experiment_id}/artifacts/report.json"
    assert client.get(path).json() == {"lines": 3}
    damage(store.local_path(stored.key))
    assert stored.key in assert_problem(client.get(path), 503)["detail"]


@DAMAGES
def test_a_job_on_a_damaged_corpus_fails_with_that_reason(
    start_worker: StartWorker,
    submit: Submit,
    read: Read,
    store: ArtifactStore,
    dataset: Dataset,
    damage: Damage,
) -> None:
    damage(store.local_path(dataset.storage_key))
    start_worker()
    experiment_id = submit("complete")
    wait_until(lambda: read(experiment_id).status == "failed", "the experiment fails")
    row = read(experiment_id)
    assert (row.error_type, row.attempt) == ("StorageError", 1)
    assert dataset.storage_key in (row.error_message or "")


def test_a_model_whose_weights_are_a_pickle_is_refused_though_every_hash_is_right(
    client: TestClient, model: Model, store: ArtifactStore, database: Database, tmp_path: Path
) -> None:
    witness = tmp_path / "loaded"
    folder = store.local_path(f"{model.storage_key}/model.json").parent
    disguise(folder, poisoned_pickle(witness))
    hashes = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    with database.session() as session:
        session.execute(update(Model).where(Model.id == model.id).values(files=hashes))
    assert_problem(client.post("/classify", json={"input": "The sea"}), 503)
    with pytest.raises(ArtifactError, match=r"identifier\.safetensors"):
        load_artifact(folder)
    assert not witness.exists()
    pickle.loads((folder / "identifier.safetensors").read_bytes())
    assert witness.exists(), "the pickle would have shown that it was loaded"


def test_a_backbone_whose_weights_are_a_pickle_is_refused(tmp_path: Path) -> None:
    from sip_model.backbones.load import load_backbone
    from tests.sip_model.backbones.tiny import make_tiny_backbone

    witness, folder = tmp_path / "loaded", tmp_path / "backbone"
    folder.mkdir()
    make_tiny_backbone(folder, "bert")
    weights = folder / "model.safetensors"
    weights.rename(folder / "pytorch_model.bin")
    for name in ("pytorch_model.bin", "model.safetensors"):
        (folder / name).write_bytes(poisoned_pickle(witness))
        with pytest.raises(BackboneError):
            load_backbone(folder, read_info(folder, "tiny", "r"), "cpu", "float32")
    assert not witness.exists()


def test_the_product_calls_nothing_that_reads_a_pickle() -> None:
    root = Path(__file__).parents[2]
    modules = [
        path
        for name in ("api", "cli", "client", "db", "sip_model", "worker")
        for path in (root / name).rglob("*.py")
    ]
    assert len(modules) > 100
    found = [
        f"{path.relative_to(root)}: {ast.unparse(node)}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _reads_pickle(node)
    ]
    assert found == []


def _reads_pickle(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(name.name in {"pickle", "dill", "cloudpickle", "joblib", "shelve"} for name in names)
        case ast.ImportFrom(module=module):
            return module in {"pickle", "dill", "cloudpickle", "joblib", "shelve"}
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load")):
            return True
        case ast.keyword(arg="allow_pickle", value=ast.Constant(value=allowed)):
            return bool(allowed)
    return False


def disguise(folder: Path, content: bytes) -> None:
    """Put `content` in the place of a model's weights, with a description that states its hash."""
    from sip_model.identifiers.artifact import _description_sha256

    (folder / "identifier.safetensors").write_bytes(content)
    description = json.loads((folder / "model.json").read_text())
    description["weights_sha256"] = sha256(content).hexdigest()
    del description["description_sha256"]
    description["description_sha256"] = _description_sha256(description)
    (folder / "model.json").write_text(json.dumps(description))
