"""Notices: heard when their transaction commits, and again after the connection was lost."""

import queue
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from db.notices import CHANNEL, Listener, notify
from db.session import Database
from db.settings import Settings

SECONDS = 20.0

Heard = queue.Queue[str | None]


@pytest.fixture
def heard() -> Heard:
    """What was heard, in order."""
    return queue.Queue()


@pytest.fixture
def listener(settings: Settings, heard: Heard) -> Iterator[Listener]:
    """One that listens."""
    listener = Listener(settings.require_database_url(), heard.put)
    listener.start()
    assert heard.get(timeout=SECONDS) is None
    yield listener
    listener.stop()


def test_a_notice_is_heard_when_its_transaction_commits(
    database: Database, listener: Listener, heard: Heard
) -> None:
    assert listener.is_listening
    with database.session() as session:
        notify(session, "exp_1")
        session.rollback()
    with database.session() as session:
        notify(session, "exp_2")
    assert heard.get(timeout=SECONDS) == "exp_2"


def test_a_lost_connection_is_told_of_and_opened_again(
    database: Database, listener: Listener, heard: Heard
) -> None:
    lose = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
    )
    with database.session() as session:
        assert session.scalar(lose) == 1
    assert heard.get(timeout=SECONDS) is None
    assert heard.get(timeout=SECONDS) is None
    assert listener.is_listening
    with database.session() as session:
        notify(session, "exp_3")
    assert heard.get(timeout=SECONDS) == "exp_3"


def test_a_stopped_listener_hears_nothing(database: Database, listener: Listener, heard: Heard) -> None:
    listener.stop()
    assert not listener.is_listening
    listening = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE :statement"
    )
    with database.session() as session:
        assert session.scalar(listening, {"statement": f"LISTEN {CHANNEL}%"}) == 0


def test_a_database_that_is_away_is_not_listened_to(heard: Heard) -> None:
    listener = Listener("postgresql+psycopg://sip@127.0.0.1:1/sip", heard.put)
    listener.start()
    listener.stop()
    assert not listener.is_listening
    assert heard.empty()
