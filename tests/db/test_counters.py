"""Numbers that only grow."""

import pytest

from db import counters
from db.counters import Name
from db.session import Database
from db.states import Status


def test_every_counter_starts_at_0_and_adds_up(database: Database) -> None:
    with database.session() as session:
        assert counters.read(session).events == dict.fromkeys(Name, 0)
    for by in (1, 2, 0):
        with database.session() as session:
            counters.increment(session, Name.LEASES_LOST, by)
    with database.session() as session:
        assert counters.read(session).events == {Name.LEASES_LOST: 3, Name.ATTEMPTS_CRASHED: 0}


def test_ends_are_counted_by_kind_and_status(database: Database) -> None:
    with database.session() as session:
        for status in (Status.SUCCEEDED, Status.SUCCEEDED, Status.FAILED):
            counters.count_finished(session, "train", status)
    with database.session() as session:
        assert counters.read(session).finished == {
            ("train", Status.SUCCEEDED): 2,
            ("train", Status.FAILED): 1,
        }


def test_what_is_rolled_back_is_not_counted(database: Database) -> None:
    def count_and_fail() -> None:
        with database.session() as session:
            counters.increment(session, Name.LEASES_LOST)
            raise LookupError

    with pytest.raises(LookupError):
        count_and_fail()
    with database.session() as session:
        assert counters.read(session).events[Name.LEASES_LOST] == 0
