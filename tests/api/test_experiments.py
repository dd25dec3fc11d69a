"""`/experiments` through the real application; no worker runs, the tests finish rows themselves."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from api.results import RESULTS_ARTIFACT
from db import experiments
from db.publisher import waiting_calls
from db.session import Database
from db.settings import Settings
from db.states import Queue, Status
from db.storage import ArtifactStore
from db.tables import Artifact, Experiment
from tests.api.conftest import assert_problem, upload

POST = "/experiments"


@pytest.fixture(autouse=True)
def tales(client: TestClient) -> str:
    """A dataset to experiment on; returns its id."""
    return str(upload(client)["id"])


def set_status(database: Database, experiment_id: str, status: Status) -> None:
    with database.session() as session:
        experiments.get(session, experiment_id).status = status


def test_an_accepted_experiment_is_kept_resolved_and_its_worker_woken(
    client: TestClient, tales: str, settings: Settings
) -> None:
    response = client.post(
        POST, json={"kind": "train", "dataset": "tales", "config": {"training": {"epochs": 3}}, "seed": 7}
    )
    assert response.status_code == 202
    made = response.json()
    assert response.headers["location"] == f"/experiments/{made['id']}"
    assert made["id"].startswith("exp_")
    assert (made["status"], made["dataset"], made["seed"], made["attempt"]) == ("queued", tales, 7, 0)
    assert made["backbone"] == "minilm"
    assert made["config"]["training"]["epochs"] == 3
    assert made["config"]["chunk"] == {
        "num_words": 32,
        "num_tokens": None,
        "max_per_source": 100,
        "min_per_source": 10,
        "train_per_source": None,
    }
    assert client.get(f"/experiments/{made['id']}").json() == made
    assert waiting_calls(settings.require_broker_url()) == {Queue.GPU: 1, Queue.CPU: 0}


def test_a_broker_that_is_down_refuses_nothing(settings: Settings, client: TestClient) -> None:
    client.app.state.services.settings = settings.model_copy(  # type: ignore[attr-defined]  # Starlette's app
        update={"broker_url": "redis://127.0.0.1:1/0"}
    )
    assert client.post(POST, json={"kind": "train", "dataset": "tales"}).status_code == 202
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["checks"]["broker"]["status"] == "down"


BAD_CONFIGS: dict[str, tuple[dict[str, object], list[str | int]]] = {
    "an unknown block": ({"colour": {}}, ["colour"]),
    "an unknown field": ({"training": {"epoch": 1}}, ["training", "epoch"]),
    "a layer beyond the model": ({"backbone": {"layers": [0, 7]}}, ["backbone", "layers", 1]),
    "a negative layer": ({"backbone": {"layers": [-1]}}, ["backbone", "layers"]),
    "a negative number": ({"training": {"epochs": -1}}, ["training", "epochs"]),
    "a pooling the model can't do": ({"backbone": {"pooling": "last"}}, ["backbone", "pooling"]),
    "a pooling there isn't": ({"backbone": {"pooling": "max"}}, ["backbone", "pooling"]),
    "a backbone not allowed": ({"backbone": {"id": "someone/model"}}, ["backbone", "id"]),
    "a path as backbone": ({"backbone": {"id": "../../etc"}}, ["backbone", "id"]),
    "a URL as backbone": ({"backbone": {"id": "http://127.0.0.1/x"}}, ["backbone", "id"]),
    "a number as text": ({"training": {"epochs": "3"}}, ["training", "epochs"]),
    "a boolean as number": ({"training": {"epochs": True}}, ["training", "epochs"]),
    "an integer beyond 64 bits": ({"training": {"epochs": 2**70}}, ["training", "epochs"]),
    "shares that don't add up": ({"split": {"train": 0.9}}, ["split"]),
    "a block that is none": ({"split": [1]}, ["split"]),
    "null for a block": ({"split": None}, ["split"]),
}


@pytest.mark.parametrize("case", BAD_CONFIGS)
def test_a_config_that_cannot_be_used_names_its_field_and_leaves_nothing(
    case: str, client: TestClient
) -> None:
    config, field = BAD_CONFIGS[case]
    response = client.post(POST, json={"kind": "train", "dataset": "tales", "config": config})
    problem = assert_problem(response, 422, ["body", "config", *field])
    assert all("expected" in error["msg"] and "found" in error["msg"] for error in problem["errors"])
    assert client.get(POST).json()["data"] == []


def test_a_kind_not_built_is_unknown_and_the_answer_lists_those_there_are(client: TestClient) -> None:
    response = client.post(POST, json={"kind": "distill", "dataset": "tales"})
    assert "train, evaluate, classify" in assert_problem(response, 422, ["body", "kind"])["detail"]


def test_what_a_body_refers_to_must_exist(client: TestClient) -> None:
    assert_problem(client.post(POST, json={"kind": "train", "dataset": "nope"}), 404, ["body", "dataset"])
    response = client.post(POST, json={"kind": "evaluate", "dataset": "tales"})
    assert_problem(response, 404, ["body", "config", "evaluate", "model"])
    response = client.post(
        POST, json={"kind": "classify", "dataset": "tales", "config": {"classify": {"model": "x\0"}}}
    )
    assert_problem(response, 404, ["body", "config", "classify", "model"])


def test_a_lexical_identifier_needs_no_backbone(client: TestClient) -> None:
    config = {"identifier": {"features": "lexical"}, "backbone": {"id": "not/there"}}
    response = client.post(POST, json={"kind": "train", "dataset": "tales", "config": config})
    assert response.status_code == 202
    assert response.json()["backbone"] is None


def test_a_queued_experiment_is_cancelled_at_once_and_only_once(client: TestClient) -> None:
    path = f"/experiments/{client.post(POST, json={'kind': 'train', 'dataset': 'tales'}).json()['id']}"
    assert_problem(client.delete(path), 409)
    response = client.post(f"{path}/cancel")
    assert (response.status_code, response.json()["status"]) == (202, "cancelled")
    assert_problem(client.post(f"{path}/cancel"), 409)
    assert client.delete(path).status_code == 204
    assert_problem(client.get(path), 404)


@pytest.mark.parametrize("ended", [Status.FAILED, Status.CANCELLED])
def test_what_has_failed_or_was_cancelled_is_tried_again_from_its_checkpoint(
    ended: Status, client: TestClient, database: Database, settings: Settings
) -> None:
    made = client.post(POST, json={"kind": "train", "dataset": "tales"}).json()["id"]
    with database.session() as session:
        row = experiments.get(session, made)
        row.status, row.attempt, row.crashes = ended, 3, 3
        row.error_type, row.error_message, row.phase = "WorkerLost", "gone", "training"
        row.checkpoint_key, row.checkpoint_sha256 = "experiments/x/checkpoint", "0" * 64
        row.started_at = row.finished_at = row.created_at
    response = client.post(f"/experiments/{made}/retry")
    assert response.status_code == 202
    resource = response.json()
    assert (resource["status"], resource["error"], resource["finished_at"]) == ("queued", None, None)
    assert (resource["attempt"], resource["progress"]["phase"]) == (3, None)
    assert waiting_calls(settings.require_broker_url()) == {Queue.GPU: 2, Queue.CPU: 0}
    with database.session() as session:
        row = experiments.get(session, made)
        assert (row.crashes, row.checkpoint_key) == (0, "experiments/x/checkpoint")
        assert row.queued_at > row.created_at
        assert row.published_at is not None
    assert client.post(f"/experiments/{made}/cancel").json()["status"] == "cancelled"
    assert client.post(f"/experiments/{made}/retry").json()["status"] == "queued"


@pytest.mark.parametrize("status", [Status.QUEUED, Status.SUCCEEDED])
def test_what_is_queued_or_has_succeeded_is_not_tried_again(
    status: Status, client: TestClient, database: Database
) -> None:
    made = client.post(POST, json={"kind": "train", "dataset": "tales"}).json()["id"]
    set_status(database, made, status)
    problem = assert_problem(client.post(f"/experiments/{made}/retry"), 409)
    assert status.value in problem["detail"]
    assert_problem(client.post("/experiments/exp_none/retry"), 404)


def test_without_its_dataset_an_experiment_is_not_tried_again(client: TestClient) -> None:
    made = client.post(POST, json={"kind": "train", "dataset": "tales"}).json()["id"]
    client.post(f"/experiments/{made}/cancel")
    assert client.delete("/datasets/tales").status_code == 204
    problem = assert_problem(client.post(f"/experiments/{made}/retry"), 409)
    assert "dataset was deleted" in problem["detail"]


def test_what_reads_no_language_model_waits_for_any_worker_and_keeps_its_request_id(
    client: TestClient, database: Database, settings: Settings
) -> None:
    lexical = {"kind": "train", "dataset": "tales", "config": {"identifier": {"features": "lexical"}}}
    made = client.post(POST, json=lexical, headers={"X-Request-ID": "mine-1"}).json()["id"]
    assert waiting_calls(settings.require_broker_url()) == {Queue.GPU: 0, Queue.CPU: 1}
    with database.session() as session:
        row = experiments.get(session, made)
    assert (row.queue, row.request_id) == ("cpu", "mine-1")


def test_lists_are_filtered(client: TestClient, tales: str, database: Database) -> None:
    one = client.post(POST, json={"kind": "train", "dataset": "tales", "name": "one"}).json()["id"]
    two = client.post(POST, json={"kind": "train", "dataset": "tales", "name": "two"}).json()["id"]
    set_status(database, two, Status.SUCCEEDED)

    def ids(**query: str) -> list[str]:
        return [row["id"] for row in client.get(POST, params=query).json()["data"]]

    assert ids() == [two, one]
    assert ids(name="one") == [one]
    assert ids(status="succeeded") == [two]
    assert ids(dataset=tales) == ids(dataset="tales", kind="train") == [two, one]
    assert ids(dataset="other") == ids(kind="evaluate") == ids(parent=one) == []
    assert_problem(client.get(POST, params={"status": "done"}), 422, ["query", "status"])


def test_a_failed_commit_is_an_error_and_no_row(client: TestClient, database: Database) -> None:
    def fail(session: Session) -> None:
        if any(isinstance(row, Experiment) for row in session.identity_map.values()):
            raise OSError("the disk of the database is gone")

    event.listen(Session, "before_commit", fail)
    try:
        assert_problem(client.post(POST, json={"kind": "train", "dataset": "tales"}), 500)
    finally:
        event.remove(Session, "before_commit", fail)
    assert client.get(POST).json()["data"] == []


@pytest.fixture
def classified(client: TestClient, database: Database, store: ArtifactStore, tmp_path: Path) -> str:
    """A finished experiment of kind classify with five rows in two row groups."""
    made = str(client.post(POST, json={"kind": "train", "dataset": "tales"}).json()["id"])
    rows = [
        {
            "document": f"row-{number}",
            "start": 0,
            "end": 10,
            "predicted": [{"source": "sea, or lake", "probability": 0.75}],
            "unknown": 0.25,
        }
        for number in range(5)
    ]
    path = tmp_path / "results.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=3)
    stored = store.put_file(f"experiments/{made}/1/results.parquet", path)
    with database.session() as session:
        row = experiments.get(session, made)
        row.kind, row.status = "classify", Status.SUCCEEDED
        session.add(
            Artifact(
                experiment_id=made,
                name=RESULTS_ARTIFACT,
                media_type="application/vnd.apache.parquet",
                bytes=stored.num_bytes,
                sha256=stored.sha256,
                storage_key=stored.key,
            )
        )
    return made


def test_results_come_by_page_as_csv_and_as_parquet(
    client: TestClient, classified: str, tmp_path: Path
) -> None:
    path = f"/experiments/{classified}/results"
    first = client.get(path, params={"limit": 4}).json()
    assert [row["document"] for row in first["data"]] == ["row-0", "row-1", "row-2", "row-3"]
    assert first["data"][0]["predicted"] == [{"source": "sea, or lake", "probability": 0.75}]
    rest = client.get(path, params={"cursor": first["next_cursor"]}).json()
    assert [row["document"] for row in rest["data"]] == ["row-4"]
    assert not rest["has_more"]
    lines = client.get(path, params={"format": "csv"}).text.splitlines()
    assert lines[0] == "document,start,end,predicted,unknown"
    assert len(lines) == 6
    (tmp_path / "got.parquet").write_bytes(client.get(path, params={"format": "parquet"}).content)
    assert pq.read_table(tmp_path / "got.parquet").num_rows == 5


def test_an_artifact_is_listed_and_fetched(client: TestClient, classified: str) -> None:
    (artifact,) = client.get(f"/experiments/{classified}").json()["artifacts"]
    response = client.get(artifact["url"])
    assert len(response.content) == artifact["bytes"]
    assert response.headers["etag"] == f'"{artifact["sha256"]}"'
    assert_problem(client.get(f"/experiments/{classified}/artifacts/none"), 404)
    assert_problem(client.get(f"/experiments/{classified}/artifacts/..%2f..%2fx"), 404)


def test_only_a_finished_classify_experiment_has_results(client: TestClient, database: Database) -> None:
    made = client.post(POST, json={"kind": "train", "dataset": "tales"}).json()["id"]
    assert_problem(client.get(f"/experiments/{made}/results"), 404)
    with database.session() as session:
        experiments.get(session, made).kind = "classify"
    assert_problem(client.get(f"/experiments/{made}/results"), 409)
    set_status(database, made, Status.CANCELLED)
    assert_problem(client.get(f"/experiments/{made}/results"), 404)


def test_deleting_an_experiment_removes_its_files(
    client: TestClient, classified: str, settings: Settings
) -> None:
    assert client.delete(f"/experiments/{classified}").status_code == 204
    assert list(settings.data_dir.rglob("results.parquet")) == []
