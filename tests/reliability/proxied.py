"""A service whose database and broker are reached through proxies; the test itself reaches them directly."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from db import workers
from db.session import Database
from db.settings import Settings
from tests.client.server import running
from tests.reliability.proxy import Address, Proxy
from tests.worker.conftest import WorkerProcess, wait_until

LONGEST_REQUEST_SECONDS = 30.0

StartProxied = Callable[..., WorkerProcess]
"""Takes settings to change."""


@pytest.fixture
def database_proxy(database_url: str) -> Iterator[Proxy]:
    """Stands before the test's database."""
    url = make_url(database_url)
    folder = url.query.get("host")
    target: Address = Path(str(folder)) / ".s.PGSQL.5432" if folder else (str(url.host), url.port or 5432)
    proxy = Proxy(target)
    yield proxy
    proxy.close()


@pytest.fixture
def broker_proxy(broker_url: str) -> Iterator[Proxy]:
    """Stands before the test's broker."""
    url = urlsplit(broker_url)
    target: Address = (
        Path(url.path) if url.scheme == "redis+socket" else (str(url.hostname), url.port or 6379)
    )
    proxy = Proxy(target)
    yield proxy
    proxy.close()


@pytest.fixture
def proxied(settings: Settings, database_proxy: Proxy, broker_proxy: Proxy) -> Settings:
    """The test's settings, through the proxies."""
    database = make_url(settings.require_database_url()).difference_update_query(["host"])
    database = database.set(host="127.0.0.1", port=database_proxy.port)
    broker = urlsplit(settings.require_broker_url())
    login, path = (f":{broker.password}@", broker.path) if broker.password else ("", "/0")
    return settings.with_servers(
        database.render_as_string(hide_password=False), f"redis://{login}127.0.0.1:{broker_proxy.port}{path}"
    )


@pytest.fixture
def client(proxied: Settings) -> Iterator[httpx.Client]:
    """Talks to an API on the proxied servers, over a socket."""
    # Here and not above: the tests without one needn't wait for it.
    from api.app import create_app

    with ExitStack() as parts:
        url = parts.enter_context(running(create_app(proxied)))
        yield parts.enter_context(
            httpx.Client(base_url=url, timeout=LONGEST_REQUEST_SECONDS, trust_env=False)
        )


@pytest.fixture
def start_proxied(proxied: Settings, database: Database) -> Iterator[StartProxied]:
    """Starts a worker on the proxied servers and waits until it has shown itself."""
    started: list[WorkerProcess] = []

    def start(**changes: float) -> WorkerProcess:
        started.append(WorkerProcess(proxied.model_copy(update=changes)))
        wait_until(lambda: _is_there(database), "the worker is there")
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


def cut_backends(session: Session) -> int:
    """End every other connection to the database, at the server; returns how many there were."""
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return len(session.execute(others).all())


def _is_there(database: Database) -> bool:
    with database.session() as session:
        return bool(workers.seen(session, 60))
