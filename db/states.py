"""The states of an experiment and the only ways between them."""

from enum import StrEnum


class Status(StrEnum):
    """State of an experiment, as stored."""

    WAITING = "waiting"
    """For other experiments, see `db.needs`; `db.shown` says what a client sees in its place."""
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Queue(StrEnum):
    """Which workers take an experiment."""

    GPU = "gpu"
    """It runs a language model: workers with an accelerator, where there are any."""
    CPU = "cpu"


FINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
"""States that no worker changes; only a request to try again leaves them."""
OWNED = frozenset({Status.RUNNING, Status.CANCELLING})
"""States in which an attempt holds the claim."""

TRANSITIONS: dict[Status, frozenset[Status]] = {
    # what it needs is final; what must have succeeded has not; cancelled before anything ran
    Status.WAITING: frozenset({Status.QUEUED, Status.FAILED, Status.CANCELLED}),
    # claimed; cancelled before anything ran
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED}),
    # finished; asked to stop; released by a stopping worker or back after a crash; waits for its children
    Status.RUNNING: frozenset(
        {Status.SUCCEEDED, Status.FAILED, Status.CANCELLING, Status.QUEUED, Status.WAITING}
    ),
    # whatever ends the attempt, the experiment ends cancelled
    Status.CANCELLING: frozenset({Status.CANCELLED}),
    Status.SUCCEEDED: frozenset(),
    # tried again because someone asked for that, at once or once what it needs is there
    Status.FAILED: frozenset({Status.QUEUED, Status.WAITING}),
    Status.CANCELLED: frozenset({Status.QUEUED, Status.WAITING}),
}


def move(current: str, target: Status) -> Status:
    """`target`, if an experiment in the state `current` may enter it; `ValueError` otherwise."""
    if target not in TRANSITIONS[Status(current)]:
        raise ValueError(f"status: expected one of {sorted(TRANSITIONS[Status(current)])}, found {target}")
    return target
