"""One place commits, rolls back, and says that the database is away."""

import pytest
from sqlalchemy import text

from db import datasets
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
