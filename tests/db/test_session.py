"""One place commits, rolls back, and says that the database is away."""

import time

import pytest
from sqlalchemy import make_url, text

from db import datasets
from db.connection import CONNECTION_OPTIONS, ImpatientConnection
from db.errors import DatabaseUnavailableError, NotFoundError
from db.session import Database
from tests.db.conftest import new_dataset


def test_a_block_that_ends_is_committed(database: Database) -> None:
    with database.session() as session:
        datasets.add(session, new_dataset("kept"), [])
    with database.session() as session:
        assert datasets.get(session, "kept").status == "ready"


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    def add_and_stop() -> None:
        with database.session() as session:
            datasets.add(session, new_dataset("dropped"), [])
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        add_and_stop()
    with pytest.raises(NotFoundError), database.session() as session:
        datasets.get(session, "dropped")


def test_a_cut_connection_heals_itself(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError), database.session() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    database.ping()


def test_a_transaction_in_which_nothing_came_in_time_is_cut_and_said_to_be(database: Database) -> None:
    other = Database(database._engine.url.render_as_string(hide_password=False))
    is_there = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")

    def stay_idle() -> None:
        with database.session() as session, other.session() as looking:
            session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '100ms'"))
            pid = session.scalar(text("SELECT pg_backend_pid()"))
            while looking.scalar(is_there, {"pid": pid}):
                # else it would see what it has seen at first
                looking.execute(text("SELECT pg_stat_clear_snapshot()"))

    with pytest.raises(DatabaseUnavailableError, match="IdleInTransactionSessionTimeout"):
        stay_idle()
    other.close()
    database.ping()


def test_a_connection_cut_while_idle_is_not_noticed(database: Database) -> None:
    with database.session() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    other = Database(database._engine.url.render_as_string(hide_password=False))
    with other.session() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    other.close()
    database.ping()


def test_a_database_that_is_away_is_said_to_be() -> None:
    database = Database("postgresql+psycopg://sip:hidden@127.0.0.1:1/sip")
    with pytest.raises(DatabaseUnavailableError, match="doesn't answer") as caught:
        database.ping()
    assert "hidden" not in str(caught.value)
    database.close()


def test_a_server_that_falls_silent_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.ping()
    monkeypatch.setattr(ImpatientConnection, "silence_seconds", 1.0)
    since = time.monotonic()
    with pytest.raises(DatabaseUnavailableError, match="SilentServerError"), database.session() as session:
        session.execute(text("SELECT pg_sleep(8)"))
    assert time.monotonic() - since < 6
    database.ping()


def test_a_statement_is_waited_for_until_the_server_itself_ends_it(database: Database) -> None:
    with database.session() as session:
        limit = session.scalar(
            text("SELECT setting::float / 1000 FROM pg_settings WHERE name = 'statement_timeout'")
        )
    assert limit is not None
    assert 0 < limit < ImpatientConnection.silence_seconds


def test_waiting_for_notices_is_no_silence(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImpatientConnection, "ping_seconds", 0.5)
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    options: dict[str, object] = {**CONNECTION_OPTIONS}
    with ImpatientConnection.connect(url, autocommit=True, **options) as connection:  # type: ignore[arg-type]  # libpq's
        connection.execute("LISTEN anything")
        assert list(connection.notifies(timeout=1.5)) == []
        connection.execute("SELECT 1")
