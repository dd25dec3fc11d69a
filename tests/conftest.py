"""A real database and a real broker for every test that asks for them.

`SIP_TEST_DATABASE_URL` and `SIP_TEST_REDIS_URL` name servers of one's own (the database's user must be
allowed to create databases); otherwise servers are started once for the whole run: the embedded ones, or with
`--servers=system` those that are installed on this machine.
"""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
import redis
from sqlalchemy import URL, NullPool, create_engine, make_url, text

from db import migrate
from db.embedded import EmbeddedServers, ServerUrls
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from tests.servers import system
from tests.servers.s3 import S3Server, running_s3
from tests.servers.system import SystemServers

_TEMPLATE = f"sip_test_template_{uuid.uuid4().hex[:8]}"


# how long an example takes says more about what else the machine does
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--servers`."""
    parser.addoption(
        "--servers",
        choices=("embedded", "system"),
        default="embedded",
        help="PostgreSQL and Redis for the tests: those that come with the service, or this machine's.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Says in a line what is missing."""
    if config.getoption("--servers") == "system" and (command := system.missing()):
        raise pytest.UsageError(f"the tests need servers that are not installed here: {command}")


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUrls]:
    """Where the test servers answer."""
    database_url, broker_url = os.environ.get("SIP_TEST_DATABASE_URL"), os.environ.get("SIP_TEST_REDIS_URL")
    if database_url and broker_url:
        yield ServerUrls(database_url, broker_url)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a run that is ended stops its servers too
    ours: EmbeddedServers | SystemServers
    if request.config.getoption("--servers") == "system":
        ours = SystemServers()
    else:
        ours = EmbeddedServers(tmp_path_factory.mktemp("servers"))
    try:
        started = ours.start()
        _leave_disk_alone(make_url(started.database_url))
        yield ServerUrls(database_url or started.database_url, broker_url or started.broker_url)
    finally:
        ours.stop()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An object store that speaks S3."""
    with running_s3(tmp_path_factory.mktemp("s3") / "log") as server:
        yield server


@pytest.fixture(scope="session")
def template_database(servers: ServerUrls) -> Iterator[str]:
    """Name of a database that the migrations have been applied to once."""
    url = make_url(servers.database_url)
    _administer(url, f'CREATE DATABASE "{_TEMPLATE}"')
    migrate.upgrade(url.set(database=_TEMPLATE).render_as_string(hide_password=False))
    yield _TEMPLATE
    _administer(url, f'DROP DATABASE "{_TEMPLATE}" WITH (FORCE)')


@contextmanager
def migrated_database(servers: ServerUrls, template: str) -> Iterator[str]:
    """URL of a migrated, empty database that lives as long as the block."""
    url = make_url(servers.database_url)
    name = f"sip_test_{uuid.uuid4().hex[:12]}"
    _administer(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield url.set(database=name).render_as_string(hide_password=False)
    _administer(url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database_url(servers: ServerUrls, template_database: str) -> Iterator[str]:
    """URL of a migrated, empty database that only this test uses."""
    with migrated_database(servers, template_database) as url:
        yield url


@pytest.fixture
def empty_database_url(servers: ServerUrls) -> Iterator[str]:
    """URL of a database without any table."""
    url = make_url(servers.database_url)
    name = f"sip_test_{uuid.uuid4().hex[:12]}"
    _administer(url, f'CREATE DATABASE "{name}"')
    yield url.set(database=name).render_as_string(hide_password=False)
    _administer(url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def broker_url(servers: ServerUrls) -> str:
    """URL of an empty broker."""
    client = redis.Redis.from_url(servers.broker_url.replace("redis+socket://", "unix://", 1))
    client.flushdb()
    client.close()
    return servers.broker_url


@pytest.fixture
def settings(database_url: str, broker_url: str, tmp_path: Path) -> Settings:
    """Settings of a service on the test servers and a data folder of its own."""
    return Settings(
        data_dir=tmp_path / "data",
        artifacts_url=str(tmp_path / "data" / "artifacts"),
        database_url=database_url,
        broker_url=broker_url,
        device="cpu",
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The test's database."""
    database = Database(settings.require_database_url())
    yield database
    database.close()


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    """The test's store of artifacts."""
    return ArtifactStore.from_settings(settings)


def _leave_disk_alone(url: URL) -> None:
    """What a test leaves need not outlast a power failure; to drop a database is twenty times as fast."""
    _administer(url, "ALTER SYSTEM SET fsync = off")
    _administer(url, "SELECT pg_reload_conf()")


def _administer(url: URL, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
