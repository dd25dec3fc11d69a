"""Transactions that wait for a database that is away."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from db.errors import DatabaseUnavailableError
from db.session import Database

_RETRY_SECONDS = 0.2
Result = TypeVar("Result")


def transact(database: Database, action: Callable[[Session], Result], patience_seconds: float) -> Result:
    """Commit what an action does, tried again while the database is away.

    Args:
        action: safe to repeat: nobody can tell whether a commit went through whose answer got lost.
        patience_seconds: how long to try; the lease, which nothing outlasts.

    Raises `DatabaseUnavailableError` after that, and at once whatever else the action raises.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            with database.session() as session:
                return action(session)
        except DatabaseUnavailableError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)
