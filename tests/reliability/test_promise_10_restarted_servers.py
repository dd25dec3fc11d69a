"""Promise 10: a lost Redis or Postgres connection heals itself, also when both servers were restarted."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from db import migrate
from db.embedded import EmbeddedServers, ServerUrls
from db.session import Database
from tests.reliability.proxied import StartProxied
from tests.reliability.records import lease_left
from tests.worker.conftest import Read, Submit, wait_until
from tests.worker.jobs import is_open, open_gate

LEASE_SECONDS = 60.0


@pytest.fixture
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """Servers that only this test uses, so that it may stop them."""
    servers = EmbeddedServers(tmp_path_factory.mktemp("own"))
    yield servers
    servers.stop()


@pytest.fixture
def own_urls(own_servers: EmbeddedServers) -> ServerUrls:
    """Where those servers answer."""
    urls = own_servers.start()
    migrate.upgrade(urls.database_url)
    return urls


@pytest.fixture
def database_url(own_urls: ServerUrls) -> str:
    """URL of their database."""
    return own_urls.database_url


@pytest.fixture
def broker_url(own_urls: ServerUrls) -> str:
    """URL of their broker."""
    return own_urls.broker_url


def test_api_and_worker_go_on_when_both_servers_are_back(
    own_servers: EmbeddedServers,
    client: httpx.Client,
    start_proxied: StartProxied,
    submit: Submit,
    read: Read,
    database: Database,
    gates: Path,
) -> None:
    start_proxied(lease_seconds=LEASE_SECONDS)
    running = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    waiting = submit("complete")  # the broker forgets its call
    own_servers.stop()
    answer = client.get("/experiments")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    own_servers.start()
    assert client.get("/experiments").status_code == 200
    wait_until(lambda: lease_left(database, running) > LEASE_SECONDS - 1, "the lease is renewed")
    open_gate(gates, "go")
    for experiment_id in (running, waiting):
        wait_until(lambda: read(experiment_id).status == "succeeded", "it runs to its end")  # noqa: B023
        assert (read(experiment_id).attempt, read(experiment_id).crashes) == (1, 0)
