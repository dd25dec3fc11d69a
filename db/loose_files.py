"""Files in the store that no row accounts for: being written by an attempt, or left over and to be deleted.

Their prefix is committed before the first of them is stored. Whatever dies after that, someone finds them.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from db.states import OWNED
from db.tables import Experiment, LooseFiles


def note(
    session: Session, prefixes: Sequence[str], *, claim_token: UUID | None = None, keep_seconds: float = 0.0
) -> None:
    """Note prefixes whose files are about to be stored, or to be deleted.

    Args:
        claim_token: they may stay as long as an experiment is owned under it.
        keep_seconds: they may stay this long.
    """
    if not prefixes:
        return
    rows = [
        {
            "prefix": prefix,
            "claim_token": claim_token,
            "keep_until": func.now() + timedelta(seconds=keep_seconds),
        }
        for prefix in prefixes
    ]
    statement = insert(LooseFiles).values(rows)
    changes = {"claim_token": claim_token, "keep_until": statement.excluded.keep_until}
    session.execute(statement.on_conflict_do_update(index_elements=[LooseFiles.prefix], set_=changes))


def forget(session: Session, prefixes: Sequence[str]) -> None:
    """Take prefixes off the list: from this commit on other rows account for their files."""
    session.execute(delete(LooseFiles).where(LooseFiles.prefix.in_(prefixes)))


def deleted(session: Session, prefixes: Sequence[str], look_again_seconds: float) -> None:
    """Take prefixes off the list whose files were deleted; those of an attempt after one more look.

    A stalled attempt that wakes up may go on storing files until it learns that it has lost its claim.
    """
    listed = LooseFiles.prefix.in_(prefixes)
    session.execute(delete(LooseFiles).where(listed, LooseFiles.claim_token.is_(None)))
    later = func.now() + timedelta(seconds=look_again_seconds)
    session.execute(update(LooseFiles).where(listed).values(claim_token=None, keep_until=later))


def abandoned(session: Session, limit: int = 100) -> list[str]:
    """Prefixes whose files nobody is going to publish any more."""
    owned = exists().where(Experiment.claim_token == LooseFiles.claim_token, Experiment.status.in_(OWNED))
    statement = select(LooseFiles.prefix).where(LooseFiles.keep_until <= func.now(), ~owned)
    return list(session.scalars(statement.order_by(LooseFiles.keep_until).limit(limit)))
