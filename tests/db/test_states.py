"""The ways between states."""

import pytest

from db.states import FINAL, OWNED, TRANSITIONS, Status, move


def test_every_state_has_its_ways_out() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert not TRANSITIONS[Status.SUCCEEDED]
    assert all(TRANSITIONS[status] <= {Status.QUEUED, Status.WAITING} for status in FINAL)


def test_what_waits_is_owned_by_nobody_and_runs_only_once_it_was_queued() -> None:
    assert Status.WAITING not in OWNED | FINAL
    assert TRANSITIONS[Status.WAITING] == {Status.QUEUED, Status.FAILED, Status.CANCELLED}
    into = {status for status, targets in TRANSITIONS.items() if Status.WAITING in targets}
    assert into == {Status.RUNNING, Status.FAILED, Status.CANCELLED}


def test_a_cancelled_attempt_never_succeeds() -> None:
    assert TRANSITIONS[Status.CANCELLING] == {Status.CANCELLED}
    with pytest.raises(ValueError, match="cancelled"):
        move("cancelling", Status.SUCCEEDED)


def test_every_owned_state_can_end_without_its_worker() -> None:
    assert move("running", Status.QUEUED) is Status.QUEUED
    assert all(TRANSITIONS[status] for status in OWNED)
