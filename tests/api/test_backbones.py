"""`/backbones` with backbones that were trained here."""

import pytest
from starlette.testclient import TestClient

from db import backbones, claims, models
from db.backbones import Description, NewBackbone
from db.models import NewModel
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from tests.api.conftest import assert_problem, upload
from tests.sip_model.backbones.tiny import make_tiny_backbone

DESCRIPTION = Description(
    family="gpt_neox", is_causal=True, num_layers=3, hidden_size=32, max_tokens=128, poolings=("mean", "last")
)


@pytest.fixture
def backbone_id(client: TestClient, database: Database, store: ArtifactStore, settings: Settings) -> str:
    """A tiny decoder, published as a finished experiment of kind `pretrain` would."""
    upload(client)
    body = {"kind": "pretrain", "name": "tales", "dataset": "tales"}
    made = client.post("/experiments", json=body).json()
    with database.session() as session:
        claim = claims.claim(session, made["id"], "w", 60)
    assert claim is not None
    folder = make_tiny_backbone(settings.data_dir / "made", "gpt_neox")
    new = NewBackbone(
        id=backbones.new_backbone_id(),
        name="tales",
        storage_key=claim.backbone_prefix,
        files=store.put_folder(claim.backbone_prefix, folder),
        description=DESCRIPTION,
        card={"seen": []},
    )
    with database.session() as session:
        claims.succeed(session, claim, artifacts=[], model=None, backbone=new)
    assert client.get(f"/experiments/{made['id']}").json()["backbone"] == new.id
    return new.id


def test_an_own_backbone_is_listed_described_and_read(client: TestClient, backbone_id: str) -> None:
    shown = client.get(f"/backbones/{backbone_id}").json()
    assert (shown["id"], shown["kind"], shown["name"]) == (backbone_id, "own", "tales")
    assert (shown["num_layers"], shown["hidden_size"], shown["max_tokens"]) == (3, 32, 128)
    pages, cursor = [], None
    while True:
        page = client.get("/backbones", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        pages += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages[-1] == shown
    assert len({row["id"] for row in pages}) == len(pages)
    answer = client.post("/embed", json={"backbone": backbone_id, "input": "The sea was calm."}).json()
    assert (answer["model"], answer["dimensions"]) == (backbone_id, 32)
    assert backbone_id in {model["id"] for model in client.get("/v1/models").json()["data"]}
    assert_problem(client.get("/backbones/bb_none"), 404)


def test_what_an_experiment_asks_of_it_is_checked_without_its_files(
    client: TestClient, backbone_id: str
) -> None:
    def post(kind: str, config: dict[str, object]) -> object:
        return client.post("/experiments", json={"kind": kind, "dataset": "tales", "config": config})

    assert_problem(post("train", {"backbone": {"id": backbone_id, "layers": [4]}}), 422)
    assert_problem(post("train", {"backbone": {"id": backbone_id, "pooling": "cls"}}), 422)
    assert_problem(post("train", {"backbone": {"id": "bb_none"}}), 422)
    assert_problem(post("pretrain", {"pretrain": {"from": "bb_none"}}), 422)
    problem = assert_problem(post("perplexity", {"backbone": {"id": "minilm"}}), 422)
    assert "an encoder: it has no perplexity" in str(problem["errors"])
    assert_problem(post("pretrain", {"pretrain": {"from": "minilm"}}), 422)
    assert_problem(post("pretrain", {"pretrain": {"from_": backbone_id}}), 422)


def test_further_datasets_are_resolved_and_kept_while_in_use(client: TestClient, backbone_id: str) -> None:
    other = upload(client, "more")

    def post(also: list[str]) -> object:
        config = {"pretrain": {"also": also, "from": backbone_id}}
        return client.post("/experiments", json={"kind": "pretrain", "dataset": "tales", "config": config})

    assert_problem(post(["nowhere"]), 404, ["body", "config", "pretrain", "also", 0])
    assert_problem(post(["tales"]), 422, ["body", "config", "pretrain", "also", 0])
    made = client.post(
        "/experiments",
        json={
            "kind": "pretrain",
            "dataset": "tales",
            "config": {"pretrain": {"also": ["more"], "from": backbone_id}},
        },
    ).json()
    assert made["config"]["pretrain"]["also"] == [other["id"]]
    assert made["config"]["pretrain"]["from"] == backbone_id
    assert made["backbone"] == backbone_id
    assert_problem(client.delete("/datasets/more"), 409)
    assert_problem(client.delete(f"/backbones/{backbone_id}"), 409)
    assert client.post(f"/experiments/{made['id']}/cancel").status_code == 202
    assert client.delete("/datasets/more").status_code == 204
    assert client.delete(f"/backbones/{backbone_id}").status_code == 204


def test_it_is_deleted_with_its_files_once_nothing_uses_it(
    client: TestClient, backbone_id: str, database: Database, store: ArtifactStore
) -> None:
    made = client.get("/experiments", params={"kind": "pretrain"}).json()["data"][0]
    new = NewModel(
        id=models.new_model_id(),
        name="reader",
        storage_key="models/reader",
        files={},
        card={"backbone": {"id": backbone_id}},
        sources=["sea", "mountain"],
    )
    other = NewModel(
        id=models.new_model_id(), name="first", storage_key="models/first", files={}, card={}, sources=[]
    )
    with database.session() as session:
        for model in (other, new):
            models.publish(session, model, experiment_id=made["id"], dataset_id=None)
    problem = assert_problem(client.delete(f"/backbones/{backbone_id}"), 409)
    assert "1 model(s) read this backbone" in problem["detail"]
    assert_problem(client.delete("/backbones/minilm"), 409)
    assert client.delete(f"/models/{new.id}").status_code == 204
    assert any(file.key.startswith("backbones/") for file in store.files())
    assert client.delete(f"/backbones/{backbone_id}").status_code == 204
    assert not any(file.key.startswith("backbones/") for file in store.files())
    assert_problem(client.get(f"/backbones/{backbone_id}"), 404)
    assert_problem(client.delete(f"/backbones/{backbone_id}"), 404)
