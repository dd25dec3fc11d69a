"""How the service connects to PostgreSQL, and when it gives up on a server that has fallen silent.

The server's own time limits end nothing once its answers get lost on the way, and neither does TCP while
something between the two goes on acknowledging what is sent.
"""

import time
from typing import ClassVar, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

_STATEMENT_SECONDS = 10
_CHECK_SECONDS = 0.1
_SERVER_OPTIONS = {
    "timezone": "UTC",
    "statement_timeout": f"{_STATEMENT_SECONDS}s",
    # shorter than a lease: what a client that vanished in a transaction held is free again in time
    "idle_in_transaction_session_timeout": "20s",
}
CONNECTION_OPTIONS: dict[str, int | str] = {
    "connect_timeout": 5,
    # an idle connection whose other end vanished without a word is given up within 30 s
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "options": " ".join(f"-c {name}={value}" for name, value in _SERVER_OPTIONS.items()),
}
"""What libpq is told, and the server through it."""

Result = TypeVar("Result")


class SilentServerError(psycopg.OperationalError):
    """The server answered nothing for too long; the connection is closed."""


class ImpatientConnection(psycopg.Connection[TupleRow]):
    """Closes itself and raises `SilentServerError` when nothing comes back from the server for too long.

    A wait that has a time limit of its own, as that for notices has, is left alone.
    """

    silence_seconds: ClassVar[float] = _STATEMENT_SECONDS + 2.0
    """How long a statement may go without an answer: longer than the server lets it run."""
    ping_seconds: ClassVar[float] = 3.0
    """The same outside of transactions, where the pool asks whether an idle connection still works."""

    def wait(
        self, gen: PQGen[Result], interval: float = _CHECK_SECONDS, timeout: float | None = None
    ) -> Result:
        """Carry an exchange with the server to its end."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        seconds = self.ping_seconds if self.autocommit else self.silence_seconds
        try:
            return super().wait(_within(gen, seconds), interval)
        except SilentServerError:
            self.close()
            raise


def _within(exchange: PQGen[Result], seconds: float) -> PQGen[Result]:
    """The same exchange; psycopg resumes it when the socket is ready, and else with 0 at every check."""
    heard = time.monotonic()
    try:
        wanted = next(exchange)
        while True:
            ready = yield wanted
            if ready:
                heard = time.monotonic()
            elif time.monotonic() - heard > seconds:
                raise SilentServerError(f"no answer for {seconds:g} s")
            wanted = exchange.send(ready)
    except StopIteration as end:
        result: Result = end.value
        return result
