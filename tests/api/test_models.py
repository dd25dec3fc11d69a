"""`/models` through the real application; what a model computes is tested with the inference routes."""

import io
import zipfile
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from db import models
from db.models import NewModel
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from tests.api.conftest import assert_problem, upload


@pytest.fixture
def make_model(client: TestClient, database: Database, store: ArtifactStore, tmp_path: Path) -> "MakeModel":
    """Publishes models whose files hold no weights."""
    upload(client)
    made = client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()
    return MakeModel(database, store, tmp_path, made["id"], made["dataset"])


class MakeModel:
    """Publishes a model as a finished experiment would."""

    def __init__(
        self, database: Database, store: ArtifactStore, folder: Path, experiment_id: str, dataset_id: str
    ) -> None:
        self.database, self.store, self.folder = database, store, folder
        self.experiment_id, self.dataset_id = experiment_id, dataset_id

    def __call__(self, name: str) -> str:
        model_id = models.new_model_id()
        folder = self.folder / model_id
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"weights of " + name.encode())
        (folder / "model.json").write_text("{}")
        prefix = f"models/{model_id}"
        files = self.store.put_folder(prefix, folder)
        new = NewModel(
            id=model_id,
            name=name,
            storage_key=prefix,
            files=files,
            card={"config": {"seed": 1}},
            sources=["sea", "mountain", "desert"],
        )
        with self.database.session() as session:
            models.publish(session, new, experiment_id=self.experiment_id, dataset_id=self.dataset_id)
        return model_id


def test_models_are_found_by_id_name_version_and_default(client: TestClient, make_model: MakeModel) -> None:
    first, second = make_model("tales"), make_model("tales")
    model = client.get(f"/models/{first}").json()
    assert (model["id"], model["name"], model["version"], model["is_default"]) == (first, "tales", 1, True)
    assert model["card"] == {"config": {"seed": 1}}
    assert set(model["files"]) == {"model.safetensors", "model.json"}
    assert client.get("/models/tales").json()["id"] == second
    assert client.get("/models/tales@1").json()["id"] == first
    assert client.get("/models/default").json()["id"] == first
    for unknown in ("tales@3", "other", "mdl_x", "tales@", "@1", "tales@-1"):
        assert_problem(client.get(f"/models/{unknown}"), 404)


def test_models_are_listed_newest_first(client: TestClient, make_model: MakeModel) -> None:
    ids = [make_model(name) for name in ("a", "b", "c")]
    page = client.get("/models", params={"limit": 2}).json()
    assert [row["id"] for row in page["data"]] == [ids[2], ids[1]]
    rest = client.get("/models", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [row["id"] for row in rest["data"]] == [ids[0]]
    assert "card" not in rest["data"][0]


def test_sources_carry_the_number_that_answers_use(client: TestClient, make_model: MakeModel) -> None:
    make_model("tales")
    page = client.get("/models/tales/sources", params={"limit": 2}).json()
    assert page["data"] == [{"source_id": 0, "name": "sea"}, {"source_id": 1, "name": "mountain"}]
    rest = client.get("/models/tales/sources", params={"cursor": page["next_cursor"]}).json()
    assert rest["data"] == [{"source_id": 2, "name": "desert"}]


def test_a_download_is_a_zip_of_the_models_files(
    client: TestClient, make_model: MakeModel, settings: Settings
) -> None:
    make_model("tales")
    response = client.get("/models/tales/download")
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.namelist() == ["model.json", "model.safetensors"]
        assert archive.read("model.safetensors") == b"weights of tales"
    assert list(settings.scratch_dir.glob("model-*")) == []


def test_an_altered_model_is_neither_downloaded_nor_served(
    client: TestClient, make_model: MakeModel, settings: Settings
) -> None:
    model_id = make_model("tales")
    (path,) = settings.data_dir.rglob(f"{model_id}/model.safetensors")
    path.write_bytes(b"other weights")
    assert_problem(client.get("/models/tales/download"), 503)


def test_the_default_is_not_deleted_and_another_is(
    client: TestClient, make_model: MakeModel, settings: Settings
) -> None:
    default, other = make_model("a"), make_model("b")
    assert_problem(client.delete("/models/a"), 409)
    assert client.delete(f"/models/{other}").status_code == 204
    assert_problem(client.get("/models/b"), 404)
    assert list(settings.data_dir.rglob(f"{other}/*")) == []
    assert client.get("/models/default").json()["id"] == default


def test_v1_models_lists_backbones_and_models(client: TestClient, make_model: MakeModel) -> None:
    model_id = make_model("a")
    listed = client.get("/v1/models").json()
    assert listed["object"] == "list"
    assert {"minilm", model_id} <= {model["id"] for model in listed["data"]}


def test_backbones_are_listed_and_described(client: TestClient) -> None:
    listed = {row["id"]: row for row in client.get("/backbones").json()["data"]}
    assert listed["EleutherAI/pythia-*"]["kind"] == "pattern"
    minilm = client.get("/backbones/minilm").json()
    assert minilm == listed["minilm"]
    assert (minilm["num_layers"], minilm["hidden_size"], minilm["kind"]) == (6, 384, "bundled")
    assert client.get("/backbones/EleutherAI/pythia-70m").json()["kind"] == "hub"
    assert_problem(client.get("/backbones/someone/else"), 404)
