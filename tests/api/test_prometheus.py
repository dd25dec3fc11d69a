"""What Prometheus reads at `/prometheus`, with its own parser."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.app import create_app
from api.prometheus import RequestMetrics
from db import counters, experiments, workers
from db.counters import Name
from db.experiments import NewExperiment
from db.session import Database
from db.settings import Settings
from db.states import Queue, Status
from tests.api.conftest import BASE_URL, upload

PAGE = Path(__file__).parents[2] / "docs" / "watching.md"
Families = dict[str, Metric]


def scrape(client: TestClient) -> Families:
    answer = client.get("/prometheus")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(families: Families, name: str, **labels: str) -> float | None:
    """A sample's value; None when there is no such sample."""
    for family in families.values():
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_requests_are_counted_by_the_template_of_their_route(client: TestClient) -> None:
    client.get("/experiments/exp_1?cursor=x")
    client.get("/experiments/exp_2")
    client.get("/datasets")
    found = scrape(client)
    labels = {"method": "GET", "route": "/experiments/{experiment}", "status": "4xx"}
    assert value(found, "sip_http_requests_total", **labels) == 2
    assert value(found, "sip_http_request_duration_seconds_count", **labels) == 2
    assert value(found, "sip_http_requests_total", method="GET", route="/datasets", status="2xx") == 1


def test_neither_paths_nor_methods_of_clients_become_labels(client: TestClient) -> None:
    client.get("/nowhere/to/be/found")
    client.request("BREW", "/datasets")
    found = scrape(client)
    assert value(found, "sip_http_requests_total", method="GET", route="none", status="4xx") == 1
    methods = {sample.labels["method"] for sample in found["sip_http_requests"].samples}
    assert methods == {"GET", "other"}


def test_a_request_under_way_is_in_flight_until_it_ends(client: TestClient) -> None:
    assert value(scrape(client), "sip_http_requests_in_flight") == 1  # the scrape itself
    assert value(scrape(client), "sip_http_requests_in_flight") == 1


def test_each_application_counts_on_its_own(settings: Settings, client: TestClient) -> None:
    client.get("/datasets")
    with TestClient(create_app(settings), base_url=BASE_URL) as other:
        found = scrape(other)
    assert value(found, "sip_http_requests_total", method="GET", route="/datasets", status="2xx") is None


def test_experiments_queues_workers_and_counters_come_from_the_database(
    client: TestClient, database: Database
) -> None:
    dataset_id = upload(client)["id"]
    with database.session() as session:
        experiments.add(session, NewExperiment(kind="train", config={}, seed=0, dataset_id=dataset_id))
        workers.show(session, 'a"b\\c\nd', "cpu", [Queue.CPU])
        counters.increment(session, Name.LEASES_LOST, 3)
        counters.increment(session, Name.ATTEMPTS_CRASHED)
        counters.count_finished(session, "train", Status.FAILED)
    found = scrape(client)
    assert value(found, "sip_experiments", kind="train", status="queued") == 1
    assert value(found, "sip_queue_length", queue="gpu") == 1
    assert value(found, "sip_queue_length", queue="cpu") == 0
    waiting = value(found, "sip_queue_oldest_seconds", queue="gpu")
    assert waiting is not None
    assert 0 < waiting < 60
    assert value(found, "sip_workers", queue="cpu") == 1
    assert value(found, "sip_workers", queue="gpu") == 0
    assert value(found, "sip_worker_seen_seconds", worker='a"b\\c\nd') is not None
    assert value(found, "sip_leases_lost_total") == 3
    assert value(found, "sip_attempts_crashed_total") == 1
    assert value(found, "sip_experiments_finished_total", kind="train", status="failed") == 1
    assert value(found, "sip_database_up") == 1
    assert value(found, "sip_broker_up") == 1


@pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "refusing"])
def test_without_database_and_broker_the_scrape_still_answers_in_time(
    settings: Settings, silent_server: str, is_silent: bool
) -> None:
    address = silent_server if is_silent else "127.0.0.1:1"
    away = settings.with_servers(f"postgresql+psycopg://x@{address}/x", f"redis://{address}/0")
    with TestClient(create_app(away), base_url=BASE_URL) as client:
        started = time.monotonic()
        found = scrape(client)
        assert time.monotonic() - started < 3.5
    assert value(found, "sip_database_up") == 0
    assert value(found, "sip_broker_up") == 0
    assert "sip_experiments" not in found
    assert "sip_http_requests_in_flight" in found


def test_the_page_describes_every_metric_and_no_other(client: TestClient, database: Database) -> None:
    with database.session() as session:
        counters.count_finished(session, "train", Status.SUCCEEDED)
    exposed = {family.name + {"counter": "_total"}.get(family.type, "") for family in scrape(client).values()}
    section = PAGE.read_text(encoding="utf-8").split("\n## Metrics\n")[1].split("\n## ")[0]
    described = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(described) == sorted(exposed)


def test_a_request_that_fails_without_an_answer_counts_as_5xx() -> None:
    metrics = RequestMetrics()
    metrics.begin()
    metrics.end("GET", "/datasets", 500, 0.1)
    labels = {"method": "GET", "route": "/datasets", "status": "5xx"}
    assert metrics.registry.get_sample_value("sip_http_requests_total", labels) == 1
    assert metrics.registry.get_sample_value("sip_http_requests_in_flight") == 0
