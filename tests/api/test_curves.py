"""`GET /metrics/curves`: whole curves, thinned without losing a spike."""

import pytest
from starlette.testclient import TestClient

from db import claims
from db.metrics import NewMetric
from db.session import Database
from tests.api.conftest import assert_problem, upload

NUM_VALUES = 5000
SPIKE = 3217


@pytest.fixture
def experiment(client: TestClient, database: Database) -> str:
    """One with a long curve that has a spike, a short one, and a value without a step."""
    upload(client)
    made: str = client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"]
    values = [
        NewMetric(
            name="train/loss", value=50.0 if step == SPIKE else 1 / (1 + step), step=step, split="train"
        )
        for step in range(NUM_VALUES)
    ]
    values += [NewMetric(name="validation/loss", value=float(step), step=step) for step in (3, 1, 2)]
    values += [
        NewMetric(name="eval/accuracy", value=0.5),
        NewMetric(name="x/nan", value=float("nan"), step=1),
    ]
    with database.session() as session:
        claim = claims.claim(session, made, "w", 60)
        assert claim is not None
        claims.record(session, claim, progress=None, new_metrics=values, dataset="tales")
    return made


def test_a_long_curve_keeps_its_ends_and_its_spike_in_few_points(client: TestClient, experiment: str) -> None:
    answer = client.get("/metrics/curves", params={"experiment": experiment, "points": 100}).json()
    loss, validation, nan = answer["data"]
    assert (loss["name"], loss["split"], loss["count"], loss["dataset"]) == (
        "train/loss",
        "train",
        NUM_VALUES,
        "tales",
    )
    assert len(loss["steps"]) == len(loss["values"]) <= 104
    assert loss["steps"] == sorted(loss["steps"])
    assert (loss["steps"][0], loss["steps"][-1]) == (0, NUM_VALUES - 1)
    assert dict(zip(loss["steps"], loss["values"], strict=True))[SPIKE] == 50
    assert (validation["steps"], validation["values"]) == ([1, 2, 3], [1, 2, 3])
    assert nan["values"] == [None]


def test_what_comes_later_is_polled_from_where_the_curves_end(client: TestClient, experiment: str) -> None:
    since = client.get("/metrics/curves", params={"experiment": experiment}).json()["next_since"]
    page = client.get("/metrics", params={"experiment": experiment, "since": since}).json()
    assert page["data"] == []
    before = client.get("/metrics", params={"experiment": experiment, "since": since - 1}).json()
    assert len(before["data"]) == 1


def test_names_choose_curves_and_unknown_experiments_have_none(client: TestClient, experiment: str) -> None:
    params = {"experiment": experiment, "name": "validation/*"}
    assert [curve["name"] for curve in client.get("/metrics/curves", params=params).json()["data"]] == [
        "validation/loss"
    ]
    assert client.get("/metrics/curves?experiment=exp_none").json() == {"data": [], "next_since": 0}


def test_an_experiment_has_to_be_named(client: TestClient) -> None:
    assert_problem(client.get("/metrics/curves"), 422, ["query", "experiment"])
    assert_problem(client.get("/metrics/curves?experiment=a&points=1"), 422, ["query", "points"])
