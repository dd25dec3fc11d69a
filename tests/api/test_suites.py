"""Suites through the real application; no worker runs, the tests plan and finish them themselves."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from db import claims, experiments, metrics
from db.metrics import NewMetric
from db.needs import NewChild
from db.publisher import waiting_calls
from db.session import Database
from db.settings import Settings
from db.states import Queue
from tests.api.conftest import assert_problem, upload

POST = "/experiments"


@pytest.fixture(autouse=True)
def tales(client: TestClient) -> str:
    """A dataset; returns its id."""
    return str(upload(client)["id"])


def submit(client: TestClient, **suite: object) -> Any:
    return client.post(POST, json={"kind": "suite", "config": {"suite": suite}})


def plan(database: Database, suite_id: str, dataset_id: str) -> list[str]:
    """Carry out a plan of two children, of which the second needs the first; returns their ids."""
    children = [
        NewChild(
            name=name,
            kind="train",
            config={},
            seed=0,
            dataset_id=dataset_id,
            backbone_id="minilm",
            queue=Queue.GPU,
            needs=needs,
        )
        for name, needs in (("first", ()), ("second", ("first",)))
    ]
    with database.session() as session:
        claim = claims.claim(session, suite_id, "w", 60)
        assert claim is not None
        claims.wait_for_children(session, claim, children)
        return [child.id for child in experiments.children(session, suite_id)]


def test_a_suite_is_kept_with_the_ids_of_its_datasets_and_every_default_written_out(
    client: TestClient, tales: str, settings: Settings
) -> None:
    response = submit(client, preset="lengths", datasets=["tales"])
    assert response.status_code == 202, response.text
    made = response.json()
    assert (made["status"], made["dataset"], made["backbone"]) == ("queued", None, None)
    assert made["children"] is None
    assert made["config"] == {
        "suite": {
            "preset": "lengths",
            "backbones": ["minilm"],
            "datasets": [tales],
            "seeds": [0, 1, 2],
            "analyses": ["train"],
            "quick": False,
            "config": {},
        }
    }
    assert waiting_calls(settings.require_broker_url()) == {Queue.GPU: 0, Queue.CPU: 1}


def test_the_requests_own_dataset_counts_among_the_suites(client: TestClient, tales: str) -> None:
    response = client.post(POST, json={"kind": "suite", "dataset": "tales"})
    assert response.json()["config"]["suite"]["datasets"] == [tales]
    other = str(upload(client, "others")["id"])
    body = {"kind": "suite", "dataset": "tales", "config": {"suite": {"datasets": ["others"]}}}
    assert client.post(POST, json=body).json()["config"]["suite"]["datasets"] == [tales, other]


BAD_SUITES: dict[str, tuple[dict[str, object], int, list[str | int]]] = {
    "a dataset that isn't there": ({"datasets": ["tales", "no"]}, 404, ["suite", "datasets", 1]),
    "one dataset by two names": ({"datasets": ["tales", "ID"]}, 422, ["suite", "datasets", 1]),
    "no dataset": ({}, 422, ["suite", "datasets"]),
    "a preset there isn't": ({"preset": "all", "datasets": ["tales"]}, 422, ["suite", "preset"]),
    "an analysis there isn't": ({"analyses": ["x"], "datasets": ["tales"]}, 422, ["suite", "analyses", 0]),
    "a backbone not allowed": (
        {"backbones": ["minilm", "a/b"], "datasets": ["tales"]},
        422,
        ["suite", "backbones", 1],
    ),
    "a layer beyond a backbone": (
        {"config": {"backbone": {"layers": [99]}}, "datasets": ["tales"]},
        422,
        ["suite", "backbones", 0],
    ),
    "a field no child has": (
        {"config": {"training": {"epoch": 1}}, "datasets": ["tales"]},
        422,
        ["suite", "config", "training", "epoch"],
    ),
    "a block no child has": ({"config": {"colour": {}}, "datasets": ["tales"]}, 422, ["suite", "config"]),
    "a block that is none": (
        {"config": {"chunk": 3}, "datasets": ["tales"]},
        422,
        ["suite", "config", "chunk"],
    ),
    "a matrix without end": (
        {
            "seeds": list(range(100)),
            "preset": "classes",
            "backbones": ["minilm", "gpt2"],
            "datasets": ["tales"],
        },
        422,
        ["suite"],
    ),
}


@pytest.mark.parametrize("case", BAD_SUITES)
def test_a_suite_that_cannot_be_planned_names_the_place_and_leaves_nothing(
    case: str, client: TestClient, tales: str
) -> None:
    suite, status, loc = BAD_SUITES[case]
    if suite.get("datasets") == ["tales", "ID"]:
        suite = {**suite, "datasets": ["tales", tales]}
    assert_problem(submit(client, **suite), status, ["body", "config", *loc])
    assert client.get(POST).json()["data"] == []


def test_every_other_kind_needs_a_dataset(client: TestClient) -> None:
    assert_problem(client.post(POST, json={"kind": "train"}), 422, ["body", "dataset"])


def test_a_waiting_suite_is_shown_as_running_with_its_children_by_status(
    client: TestClient, tales: str, database: Database
) -> None:
    suite_id = submit(client, datasets=["tales"]).json()["id"]
    children = plan(database, suite_id, tales)
    suite = client.get(f"{POST}/{suite_id}").json()
    assert (suite["status"], suite["children"]) == ("running", {"queued": 2})
    assert suite["progress"]["phase"] == "children"
    assert (suite["progress"]["done"], suite["progress"]["total"]) == (0, 2)
    listed = client.get(POST, params={"parent": suite_id, "order": "asc"}).json()["data"]
    assert [(child["id"], child["parent"], child["status"]) for child in listed] == [
        (child, suite_id, "queued") for child in children
    ]
    assert [row["id"] for row in client.get(POST, params={"status": "running"}).json()["data"]] == [suite_id]
    assert len(client.get(POST, params={"status": "queued"}).json()["data"]) == 2
    assert_problem(client.get(POST, params={"status": "waiting"}), 422, ["query", "status"])


def test_the_metrics_of_all_children_are_asked_for_by_their_parent(
    client: TestClient, tales: str, database: Database
) -> None:
    suite_id = submit(client, datasets=["tales"]).json()["id"]
    first, _ = plan(database, suite_id, tales)
    with database.session() as session:
        row = experiments.get(session, first)
        metrics.append(session, row, "tales", [NewMetric(name="eval/accuracy", value=0.5)])
    found = client.get("/metrics", params={"parent": suite_id}).json()["data"]
    assert [(row["experiment"], row["value"]) for row in found] == [(first, 0.5)]


def test_a_suite_is_cancelled_tried_again_and_deleted_as_a_whole(
    client: TestClient, tales: str, database: Database, settings: Settings
) -> None:
    suite_id = submit(client, datasets=["tales"]).json()["id"]
    children = plan(database, suite_id, tales)
    path = f"{POST}/{suite_id}"
    assert_problem(client.delete(path), 409)
    assert_problem(client.delete("/datasets/tales"), 409)
    cancelled = client.post(f"{path}/cancel").json()
    assert (cancelled["status"], cancelled["children"]) == ("cancelled", {"cancelled": 2})
    assert_problem(client.post(f"{path}/cancel"), 409)

    calls = waiting_calls(settings.require_broker_url()) or {}
    again = client.post(f"{path}/retry").json()
    assert (again["status"], again["children"]) == ("running", {"queued": 2})
    after = waiting_calls(settings.require_broker_url()) or {}
    assert after[Queue.GPU] - calls[Queue.GPU] == 1  # the second child waits for the first

    client.post(f"{path}/cancel")
    assert client.delete(path).status_code == 204
    for each in (suite_id, *children):
        assert_problem(client.get(f"{POST}/{each}"), 404)
    assert not (Path(settings.artifacts_url) / "experiments" / suite_id).exists()


def test_a_child_that_is_cancelled_wakes_workers_for_what_waited_for_it_alone(
    client: TestClient, tales: str, database: Database, settings: Settings
) -> None:
    suite_id = submit(client, datasets=["tales"]).json()["id"]
    first, second = plan(database, suite_id, tales)
    client.post(f"{POST}/{first}/cancel")
    failed = client.get(f"{POST}/{second}").json()
    assert (failed["status"], failed["error"]["type"]) == ("failed", "NeedFailed")
    suite = client.get(f"{POST}/{suite_id}").json()
    assert (suite["status"], suite["children"]) == ("queued", {"cancelled": 1, "failed": 1})
    assert (waiting_calls(settings.require_broker_url()) or {})[Queue.CPU] == 2
