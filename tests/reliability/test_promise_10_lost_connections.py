"""Promise 10: a lost Redis or Postgres connection heals itself."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from db import experiments
from db.experiments import NewExperiment
from db.session import Database
from db.tables import Dataset
from tests.reliability.proxied import StartProxied, cut_backends
from tests.reliability.proxy import Proxy
from tests.reliability.records import lease_left
from tests.worker.conftest import Read, Submit, wait_until
from tests.worker.jobs import is_open, open_gate

SILENT_STATEMENT_SECONDS = 16.0
"""Within which a request is answered whose statement was under way as the database fell silent."""
SILENT_DATABASE_SECONDS = 10.0
"""Within which any later request is answered: a check of the old connection, an attempt at a new one."""
CONSUMING_SECONDS = 30.0
"""Within which a worker takes calls again, once the broker is back."""
LEASE_SECONDS = 30.0

Cut = Callable[[Proxy], None]


def cuts(*ways: Cut) -> pytest.MarkDecorator:
    """One test per way to lose a connection."""
    return pytest.mark.parametrize("cut", ways, ids=lambda cut: cut.__name__)


@pytest.fixture
def experiment_id(database: Database, dataset: Dataset) -> str:
    """An experiment that waits in the queue."""
    new = NewExperiment(kind="train", config={}, seed=1, dataset_id=dataset.id)
    with database.session() as session:
        return experiments.add(session, new).id


def assert_unavailable(answer: httpx.Response) -> None:
    """It is the 503 that says when to come again, and nothing of what went wrong inside."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json"), (
        answer.text
    )
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["type"] == "/problems/unavailable"


@contextmanager
def request_under_way(
    client: httpx.Client, database: Database, experiment_id: str
) -> Iterator[tuple["Future[httpx.Response]", Session]]:
    """Within the block a request's statement is under way: it waits for a row that the session holds."""
    with ThreadPoolExecutor(1) as pool, database.session() as session:
        session.execute(text("SELECT 1 FROM experiments WHERE id = :id FOR UPDATE"), {"id": experiment_id})
        answer = pool.submit(client.post, f"/experiments/{experiment_id}/cancel")
        wait_until(lambda: _waits_for_lock(database), "the statement waits for the row")
        yield answer, session


def test_connections_that_were_cut_while_idle_cost_no_request(
    client: httpx.Client, database: Database
) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.get("/experiments"), range(16)))
    with database.session() as session:
        assert cut_backends(session) >= 1
    for _ in range(4):
        assert client.get("/experiments").status_code == 200


def test_connections_the_server_ends_cost_one_clean_answer(
    client: httpx.Client, database: Database, experiment_id: str
) -> None:
    with request_under_way(client, database, experiment_id) as (answer, session):
        assert cut_backends(session) >= 1
        assert_unavailable(answer.result(SILENT_STATEMENT_SECONDS))
    assert client.post(f"/experiments/{experiment_id}/cancel").status_code == 202


@cuts(Proxy.refuse, Proxy.drop, Proxy.black_hole)
def test_a_request_whose_database_is_lost_is_answered_in_time_and_the_next_is_served(
    cut: Cut, client: httpx.Client, database_proxy: Proxy, database: Database, experiment_id: str
) -> None:
    with request_under_way(client, database, experiment_id) as (answer, _):
        since = time.monotonic()
        cut(database_proxy)
        assert_unavailable(answer.result(SILENT_STATEMENT_SECONDS))
        assert time.monotonic() - since < SILENT_STATEMENT_SECONDS
    if cut is not Proxy.drop:
        since = time.monotonic()
        assert_unavailable(client.get("/experiments"))
        assert time.monotonic() - since < SILENT_DATABASE_SECONDS
        wait_until(lambda: client.get("/health/ready").status_code == 503, "the service says so")
        database_proxy.pass_on()
    assert client.get("/experiments").status_code == 200
    wait_until(lambda: client.get("/health/ready").status_code == 200, "the service is ready again")


def test_one_silent_connection_takes_all_idle_ones_with_it(
    client: httpx.Client, database_proxy: Proxy, database: Database
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.get("/experiments"), range(32)))
    database_proxy.black_hole()
    database_proxy.pass_on()  # for those that come; the connections there are stay dark
    since = time.monotonic()
    assert client.get("/experiments").status_code == 200
    assert time.monotonic() - since < SILENT_DATABASE_SECONDS
    since = time.monotonic()
    assert client.get("/experiments").status_code == 200
    assert time.monotonic() - since < 1


@cuts(Proxy.refuse, Proxy.black_hole)
def test_an_experiment_outlives_a_cut_of_the_database_shorter_than_its_lease(
    cut: Cut,
    start_proxied: StartProxied,
    database_proxy: Proxy,
    submit: Submit,
    read: Read,
    database: Database,
    gates: Path,
) -> None:
    start_proxied(lease_seconds=LEASE_SECONDS)
    running = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    cut(database_proxy)
    wait_until(lambda: lease_left(database, running) < LEASE_SECONDS - 3, "heartbeats fail")
    database_proxy.pass_on()
    wait_until(lambda: lease_left(database, running) > LEASE_SECONDS - 1, "the lease is renewed")
    open_gate(gates, "go")
    wait_until(lambda: read(running).status == "succeeded", "the experiment succeeds")
    assert (read(running).attempt, read(running).crashes) == (1, 0)


@cuts(Proxy.drop, Proxy.black_hole)
def test_a_worker_whose_broker_was_lost_takes_calls_again(
    cut: Cut, start_proxied: StartProxied, broker_proxy: Proxy, submit: Submit, read: Read
) -> None:
    start_proxied()
    before = submit("complete")
    wait_until(lambda: read(before).status == "succeeded", "the worker works")
    cut(broker_proxy)
    broker_proxy.pass_on()  # for connections that come; those that fell silent stay so
    after = submit("complete")
    wait_until(lambda: read(after).status == "succeeded", "it takes the next call", CONSUMING_SECONDS)
    assert read(after).attempt == 1


def _waits_for_lock(database: Database) -> bool:
    with database.session() as session:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(session.scalar(waiting))
