"""Idempotency keys in the database."""

from datetime import timedelta

from sqlalchemy import func, update

from db import idempotency
from db.idempotency import RequestKey
from db.session import Database
from db.tables import IdempotencyKey

KEY = RequestKey("key_1", "a")


def remember(database: Database, key: RequestKey, resource_id: str) -> None:
    with database.session() as session:
        idempotency.remember(session, key, "0" * 64, resource_id)


def found(database: Database, key: RequestKey) -> str | None:
    with database.session() as session:
        row = idempotency.find(session, key)
    return None if row is None else row.resource_id


def make_older(database: Database, hours: int) -> None:
    with database.session() as session:
        session.execute(update(IdempotencyKey).values(created_at=func.now() - timedelta(hours=hours)))


def test_what_a_key_has_made_is_found_under_the_same_key_of_the_same_holder(database: Database) -> None:
    remember(database, KEY, "exp_1")
    assert found(database, KEY) == "exp_1"
    assert found(database, RequestKey("key_2", "a")) is None
    assert found(database, RequestKey("key_1", "b")) is None


def test_a_key_that_one_transaction_holds_is_not_had_by_another(database: Database) -> None:
    with database.session() as session:
        assert idempotency.lock(session, KEY)
        with database.session() as other:
            assert not idempotency.lock(other, KEY)
            assert idempotency.lock(other, RequestKey("key_2", "a"))
    with database.session() as session:
        assert idempotency.lock(session, KEY)


def test_a_key_counts_for_a_day_and_may_then_be_used_anew(database: Database) -> None:
    remember(database, KEY, "exp_1")
    make_older(database, 23)
    assert found(database, KEY) == "exp_1"
    make_older(database, 24)
    assert found(database, KEY) is None
    remember(database, KEY, "exp_2")
    assert found(database, KEY) == "exp_2"


def test_purging_deletes_what_no_longer_counts_and_nothing_else(database: Database) -> None:
    remember(database, KEY, "exp_1")
    make_older(database, 25)
    remember(database, RequestKey("", "b"), "exp_2")
    with database.session() as session:
        assert idempotency.purge(session) == 1
    assert found(database, RequestKey("", "b")) == "exp_2"
