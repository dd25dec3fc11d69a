"""Advisory locks: what must happen one transaction at a time, across all processes."""

from enum import IntEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session


class Lock(IntEnum):
    """Locks that a transaction holds until it ends; one that needs several takes them in this order."""

    MODELS = 1
    """Giving a model its version, and choosing the default."""
    METRICS = 2
    """Giving metric rows their ids, so that ids become visible in their order."""
    DEVICES = 3
    """Choosing a GPU that no other worker has chosen."""
    KEYS = 4
    """Making a key only where there is none."""


_OURS = 0x516  # keeps our numbers apart from those of other users of the same database


def hold(session: Session, lock: Lock) -> None:
    """Wait for `lock` and hold it until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(_OURS, int(lock))))
