"""`GET /metrics` through the real application, polled while rows are written by another connection."""

import csv
import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.schemas.metrics import MetricsPage
from db import experiments, metrics
from db.metrics import NewMetric
from db.notices import notify
from db.session import Database
from db.states import Status
from tests.api.conftest import assert_problem, upload
from tests.worker.conftest import wait_until


@pytest.fixture
def experiment(client: TestClient) -> str:
    """An unfinished experiment on the dataset `tales`."""
    upload(client)
    return str(
        client.post("/experiments", json={"kind": "train", "dataset": "tales", "seed": 3}).json()["id"]
    )


def record(database: Database, experiment_id: str, *rows: NewMetric) -> None:
    with database.session() as session:
        metrics.append(session, experiments.get(session, experiment_id), "tales", rows)


def poll(client: TestClient, **query: Any) -> dict[str, Any]:
    response = client.get("/metrics", params=query)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def losses(count: int) -> list[NewMetric]:
    return [
        NewMetric(name="train/loss", value=1 / (step + 1), step=step, split="train") for step in range(count)
    ]


def test_rows_come_once_and_in_order_by_cursor(
    client: TestClient, database: Database, experiment: str
) -> None:
    record(database, experiment, *losses(5))
    first = poll(client, experiment=experiment, limit=3)
    assert [row["step"] for row in first["data"]] == [0, 1, 2]
    assert first["has_more"]
    second = poll(client, experiment=experiment, since=first["next_since"])
    assert [row["step"] for row in second["data"]] == [3, 4]
    assert not second["has_more"]
    last = poll(client, experiment=experiment, since=second["next_since"])
    assert (last["data"], last["next_since"]) == ([], second["next_since"])


def test_a_row_says_where_it_comes_from(client: TestClient, database: Database, experiment: str) -> None:
    record(database, experiment, NewMetric(name="probe/linear/accuracy", value=0.5, layer=2, split="test"))
    (row,) = poll(client, experiment=experiment)["data"]
    assert row.pop("recorded_at").endswith("Z")
    assert row == {
        "experiment": experiment,
        "name": "probe/linear/accuracy",
        "value": 0.5,
        "step": None,
        "split": "test",
        "layer": 2,
        "seed": 3,
        "backbone": "minilm",
        "dataset": "tales",
    }


def test_values_that_are_no_numbers_are_null(client: TestClient, database: Database, experiment: str) -> None:
    record(
        database, experiment, NewMetric(name="a", value=float("nan")), NewMetric(name="b", value=float("inf"))
    )
    assert [row["value"] for row in poll(client, experiment=experiment)["data"]] == [None, None]
    assert client.get(f"/experiments/{experiment}").json()["metrics"] == {"a": None, "b": None}


def test_rows_are_filtered_and_names_may_be_globs(
    client: TestClient, database: Database, experiment: str
) -> None:
    record(
        database,
        experiment,
        NewMetric(name="eval/accuracy", value=0.9, split="test"),
        NewMetric(name="eval/ece", value=0.1, split="test"),
        NewMetric(name="train/loss", value=1.0, split="train", layer=1),
    )

    def names(**query: Any) -> list[str]:
        return [row["name"] for row in poll(client, **query)["data"]]

    assert names(name="eval/*") == ["eval/accuracy", "eval/ece"]
    assert names(name=["*/loss", "eval/ece"]) == ["eval/ece", "train/loss"]
    assert names(split="train") == names(layer=1) == ["train/loss"]
    assert len(names(seed=3)) == len(names(backbone="minilm")) == len(names(dataset="tales")) == 3
    dataset_id = client.get("/datasets/tales").json()["id"]
    assert len(names(dataset=dataset_id)) == 3
    assert names(seed=4) == names(parent=experiment) == names(experiment="exp_other") == []


def test_latest_keeps_the_newest_of_each(client: TestClient, database: Database, experiment: str) -> None:
    record(database, experiment, *losses(4), NewMetric(name="eval/accuracy", value=0.9))
    rows = poll(client, experiment=experiment, latest="true")["data"]
    assert [(row["name"], row["step"]) for row in rows] == [("train/loss", 3), ("eval/accuracy", None)]


def test_csv_has_the_same_rows_and_the_cursor(
    client: TestClient, database: Database, experiment: str
) -> None:
    record(database, experiment, *losses(2))
    response = client.get("/metrics", params={"experiment": experiment, "format": "csv"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [(row["name"], row["step"], row["layer"]) for row in rows] == [
        ("train/loss", "0", ""),
        ("train/loss", "1", ""),
    ]
    assert response.headers["x-next-since"] == str(poll(client, experiment=experiment)["next_since"])


def test_an_answer_is_what_the_schema_says(client: TestClient, database: Database, experiment: str) -> None:
    record(database, experiment, *losses(2), NewMetric(name="eval/accuracy", value=float("nan")))
    response = client.get("/metrics")
    assert response.headers["content-type"] == "application/json"
    page = MetricsPage.model_validate_json(response.content)
    assert json.loads(response.content) == page.model_dump(mode="json")


def test_a_wait_is_woken_by_a_notice_of_its_experiment_alone(
    client: TestClient, database: Database, experiment: str
) -> None:
    waiting = client.app.state.services.waiting  # type: ignore[attr-defined]  # Starlette's app

    def wake(experiment_id: str) -> list[bool]:
        with (
            waiting.woken([experiment]) as one,
            waiting.woken(["exp_other"]) as other,
            waiting.woken([]) as any_,
        ):
            with database.session() as session:
                notify(session, experiment_id)
            deadline = time.monotonic() + 20
            while not any_.is_set() and time.monotonic() < deadline:
                time.sleep(0.01)
            return [one.is_set(), other.is_set(), any_.is_set()]

    with waiting.woken([]) as listening:
        wait_until(listening.is_set, "notices are heard")
    assert wake(experiment) == [True, False, True]
    assert wake("exp_other") == [False, True, True]


def test_a_wait_ends_when_its_experiment_becomes_final(
    client: TestClient, database: Database, experiment: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(poll, client, experiment=experiment, wait=30)
        with database.session() as session:
            experiments.get(session, experiment).status = Status.CANCELLED
            notify(session, experiment)
        assert waiting.result(timeout=10)["data"] == []


def test_a_wait_ends_when_something_new_is_there(
    client: TestClient, database: Database, experiment: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        waiting = pool.submit(poll, client, experiment=experiment, wait=30)
        record(database, experiment, *losses(1))
        assert len(waiting.result(timeout=10)["data"]) == 1
        assert time.monotonic() - started < 10


def test_a_wait_ends_at_once_when_every_experiment_is_final(
    client: TestClient, database: Database, experiment: str
) -> None:
    with database.session() as session:
        experiments.get(session, experiment).status = Status.SUCCEEDED
    started = time.monotonic()
    assert poll(client, experiment=experiment, wait=30)["data"] == []
    assert poll(client, experiment="exp_none", wait=30)["data"] == []
    assert time.monotonic() - started < 5


def test_a_wait_with_nothing_new_ends_in_time(client: TestClient, experiment: str) -> None:
    started = time.monotonic()
    assert poll(client, experiment=experiment, wait=0.3)["data"] == []
    assert 0.3 <= time.monotonic() - started < 5


def test_a_wait_ends_when_the_service_stops(client: TestClient, experiment: str) -> None:
    stopping = client.app.state.services.stopping  # type: ignore[attr-defined]  # Starlette's app
    assert client.portal is not None
    started = time.monotonic()
    timer = threading.Timer(0.2, client.portal.call, [stopping.set])
    timer.start()
    assert poll(client, experiment=experiment, wait=30)["data"] == []
    timer.join()
    assert time.monotonic() - started < 5


def test_limits_of_the_query_are_kept(client: TestClient) -> None:
    for query in ({"limit": 5001}, {"limit": 0}, {"wait": 31}, {"since": -1}, {"layer": 2**40}):
        (name,) = query
        problem = assert_problem(client.get("/metrics", params=query), 422)
        assert problem["errors"][0]["loc"][:2] == ["query", name]
