"""Schema and models agree, and upgrades keep data: on the suite's PostgreSQL and on one of another make.

These are the tests of the pytest-alembic package, and more: the whole catalogue is compared, and rows pass
through every upgrade. (The package itself doesn't load under this version of pytest.)
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text

from db import migrate
from db.embedded import EmbeddedServers, ServerUrls
from db.tables import Base
from tests.db.catalogue import catalogue
from tests.db.sample_rows import NUM_ROWS, fill, read_all
from tests.servers import system

SCRIPTS = ScriptDirectory(str(Path(__file__).parents[2] / "alembic"))
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]


@pytest.fixture(scope="module", params=["the suite's", "another"])
def postgres(
    request: pytest.FixtureRequest, servers: ServerUrls, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[URL]:
    """The server of the whole run; and a stock one where that is the embedded one, or the other way."""
    if request.param == "the suite's":
        yield make_url(servers.database_url)
    elif make_url(servers.database_url).query.get("host"):
        if (command := system.missing()) is not None:
            pytest.skip(f"there is no stock PostgreSQL here: {command}")
        with _stock_postgres() as url:
            yield url
    else:
        embedded = EmbeddedServers(tmp_path_factory.mktemp("embedded"))
        try:
            yield make_url(embedded.start().database_url)
        finally:
            embedded.stop()


@pytest.fixture
def url(postgres: URL) -> Iterator[str]:
    """A database without any table."""
    name = f"sip_test_{uuid.uuid4().hex[:12]}"
    _administer(postgres, f'CREATE DATABASE "{name}"')
    yield postgres.set(database=name).render_as_string(hide_password=False)
    _administer(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


def test_there_is_one_newest_revision_and_one_line_down_from_it() -> None:
    assert len(SCRIPTS.get_heads()) == len(SCRIPTS.get_bases()) == 1
    assert all(not script.is_branch_point for script in SCRIPTS.walk_revisions())


def test_a_migrated_database_is_to_the_last_check_the_one_the_tables_describe(url: str) -> None:
    migrate.upgrade(url)
    migrate.check(url)
    with transaction(url) as connection:
        migrated = catalogue(connection)
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
        assert migrated == catalogue(connection)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_revision_that_is_taken_back_and_applied_again_is_the_same(url: str, revision: str) -> None:
    before = SCRIPTS.get_revision(revision).down_revision or "base"
    assert isinstance(before, str)
    migrate.upgrade(url, revision)
    with transaction(url) as connection:
        applied = catalogue(connection)
    migrate.downgrade(url, before)
    with transaction(url) as connection:
        taken_back = catalogue(connection)
    migrate.upgrade(url, revision)
    with transaction(url) as connection:
        assert catalogue(connection) == applied
    migrate.downgrade(url, "base")
    if before != "base":
        migrate.upgrade(url, before)
    with transaction(url) as connection:
        assert catalogue(connection) == taken_back


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_an_upgrade_keeps_every_value_of_every_table(url: str, revision: str) -> None:
    migrate.upgrade(url, revision)
    with transaction(url) as connection:
        tables = fill(connection)
        before = read_all(connection, tables)
    assert {len(rows) for rows in before.values()} == {NUM_ROWS}
    migrate.upgrade(url)
    migrate.check(url)
    with transaction(url) as connection:
        assert read_all(connection, tables) == before
    # and the way back leaves them alone too
    migrate.downgrade(url, revision)
    with transaction(url) as connection:
        assert read_all(connection, tables) == before


def test_the_newest_schema_takes_the_rows_these_tests_make_up(url: str) -> None:
    migrate.upgrade(url)
    with transaction(url) as connection:
        assert set(fill(connection).tables) == set(Base.metadata.tables)


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@contextmanager
def _stock_postgres() -> Iterator[URL]:
    servers = system.SystemServers()
    try:
        yield make_url(servers.start_postgres())
    finally:
        servers.stop()


def _administer(url: URL, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
