"""Idempotency keys: what a request repeated under one key made the first time.

A key is locked by the transaction that makes the resource, so a process that dies leaves nothing in flight.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.tables import IdempotencyKey

_KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RequestKey:
    """An idempotency key and whose it is."""

    holder: str
    """Id of the API key it came with; empty without one."""
    key: str


def lock(session: Session, key: RequestKey) -> bool:
    """Hold `key` until the transaction ends; False when another transaction holds it now."""
    digest = hashlib.sha256(f"{key.holder}\0{key.key}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    return bool(session.scalars(select(func.pg_try_advisory_xact_lock(number))).one())


def find(session: Session, key: RequestKey) -> IdempotencyKey | None:
    """What was made under a locked `key` in the last 24 hours."""
    return session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.holder == key.holder,
            IdempotencyKey.key == key.key,
            IdempotencyKey.created_at > func.now() - _KEPT,
        )
    )


def remember(session: Session, key: RequestKey, fingerprint: str, resource_id: str) -> None:
    """Write what was made under a locked `key`, in the transaction that makes it.

    Args:
        fingerprint: SHA-256 of what was asked for, in hexadecimal digits.
    """
    values = {"fingerprint": fingerprint, "resource_id": resource_id, "created_at": func.now()}
    statement = insert(IdempotencyKey).values(holder=key.holder, key=key.key, **values)
    # one that is there already is older than a day: `find` didn't return it
    session.execute(statement.on_conflict_do_update(index_elements=["holder", "key"], set_=values))


def purge(session: Session) -> int:
    """Delete the keys that no longer count; returns how many there were."""
    statement = delete(IdempotencyKey).where(IdempotencyKey.created_at <= func.now() - _KEPT)
    return len(session.scalars(statement.returning(IdempotencyKey.key)).all())
