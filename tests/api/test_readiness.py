"""`/health/ready` names every part, what is wrong with it, and never takes long."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from api.app import create_app
from db import workers
from db.experiments import NewExperiment, add
from db.session import Database
from db.settings import Settings
from db.states import Queue
from tests.api.conftest import BASE_URL, assert_problem, upload
from tests.cli.service import until
from tests.servers.s3 import environment, free_port


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def ready(client: TestClient, status: int = 200) -> dict[str, Any]:
    answer = client.get("/health/ready")
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def show(database: Database, name: str, *queues: Queue) -> None:
    with database.session() as session:
        workers.show(session, name, "cpu", queues)


def test_readiness_names_every_part(client: TestClient, database: Database) -> None:
    show(database, "w", *Queue)
    found = ready(client)
    parts = {"database", "broker", "workers", "default_model", "artifacts", "disk"}
    assert set(found["checks"]) == parts
    assert {check["status"] for check in found["checks"].values()} == {"ok"}
    assert found["status"] == "ok"


def test_without_a_worker_it_is_degraded(client: TestClient) -> None:
    found = ready(client)
    assert (found["status"], found["checks"]["workers"]["status"]) == ("degraded", "degraded")
    assert "none seen in the last 60 s" in found["checks"]["workers"]["detail"]


def test_a_queue_that_no_worker_takes_is_named(client: TestClient, database: Database) -> None:
    show(database, "w", Queue.CPU)
    check = ready(client)["checks"]["workers"]
    assert check["status"] == "degraded"
    assert "no worker takes the gpu queue" in check["detail"]
    show(database, "v", Queue.GPU)
    assert ready(client)["checks"]["workers"]["status"] == "ok"


def test_a_worker_not_seen_for_a_minute_does_not_count(client: TestClient, database: Database) -> None:
    show(database, "w", *Queue)
    with database.session() as session:
        session.execute(text("UPDATE workers SET seen_at = now() - interval '61 s'"))
    assert ready(client)["checks"]["workers"]["status"] == "degraded"


def test_what_waits_and_for_how_long_is_told(client: TestClient, database: Database) -> None:
    dataset_id = upload(client)["id"]
    with database.session() as session:
        for _ in range(2):
            add(session, NewExperiment(kind="train", config={}, seed=0, dataset_id=dataset_id))
        session.execute(text("UPDATE experiments SET queued_at = now() - interval '75 s'"))
    detail = ready(client)["checks"]["workers"]["detail"]
    waiting = re.search(r"gpu: 2 wait, the oldest for (\d+) s", detail)
    assert waiting is not None, detail
    assert 75 <= int(waiting[1]) < 135
    assert "cpu: none waits" in detail


def test_without_its_database_the_service_says_so(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none"})
    with TestClient(create_app(away), base_url=BASE_URL) as client:
        found = ready(client, 503)
        assert (found["status"], found["checks"]["database"]["status"]) == ("down", "down")
        assert found["checks"]["workers"]["detail"] == "not known while the database is away"
        assert client.get("/health/live").status_code == 200
        response = client.get("/datasets")
        assert_problem(response, 503)
        assert response.headers["retry-after"].isdecimal()


def test_without_its_broker_it_serves_with_limits(settings: Settings) -> None:
    away = settings.model_copy(update={"broker_url": "redis://127.0.0.1:1/0"})
    with TestClient(create_app(away), base_url=BASE_URL) as client:
        found = ready(client)
    assert (found["status"], found["checks"]["broker"]["status"]) == ("degraded", "down")


def test_servers_that_say_nothing_hold_the_answer_up_for_5_seconds_at_most(
    settings: Settings, silent_server: str
) -> None:
    away = settings.with_servers(f"postgresql+psycopg://x@{silent_server}/x", f"redis://{silent_server}/0")
    with TestClient(create_app(away), base_url=BASE_URL) as client:
        for _ in range(2):  # the second finds the first's questions unanswered
            started = time.monotonic()
            found = ready(client, 503)
            assert time.monotonic() - started < 5
    assert {name: found["checks"][name]["status"] for name in ("database", "broker")} == {
        "database": "down",
        "broker": "down",
    }


def test_a_store_that_cannot_be_reached_is_named(settings: Settings, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    away = settings.model_copy(update={"artifacts_url": str(blocked / "artifacts")})
    with TestClient(create_app(away), base_url=BASE_URL) as client:
        found = ready(client)
    assert (found["status"], found["checks"]["artifacts"]["status"]) == ("degraded", "down")


def test_an_object_store_that_is_away_is_told_within_5_seconds_and_its_address_only_in_the_log(
    settings: Settings, silent_server: str
) -> None:
    away = settings.model_copy(update={"artifacts_url": "s3://bucket/prefix"})
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    refusing = f"127.0.0.1:{free_port()}"
    with capture_logs() as lines:
        for server in (refusing, silent_server):
            with (
                environment(keys | {"AWS_ENDPOINT_URL": f"http://{server}"}),
                TestClient(create_app(away), base_url=BASE_URL) as client,
            ):
                started = time.monotonic()
                found = ready(client)
                assert time.monotonic() - started < 5
            assert (found["status"], found["checks"]["artifacts"]["status"]) == ("degraded", "down")
            assert server not in str(found)
        # it may have asked again meanwhile
        until(lambda: any(refusing in line.get("reason", "") for line in lines), 30)
