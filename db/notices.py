"""Word that something happened to an experiment, from the transaction that did it to whoever waits for it."""

import threading
import time
from collections.abc import Callable
from contextlib import closing

import psycopg
from sqlalchemy import func, make_url, select
from sqlalchemy.orm import Session

from db.connection import CONNECTION_OPTIONS, ImpatientConnection

CHANNEL = "sip_experiments"
_RETRY_SECONDS = 1.0
_POOLED_RETRY_SECONDS = 60.0
_CHECK_SECONDS = 10.0
_PROBE_SECONDS = 2.0
_PROBE = "probe"
_STOP_SECONDS = 0.5


def notify(session: Session, experiment_id: str) -> None:
    """Say, when this transaction commits, that an experiment has new metrics or has become final.

    `db.metrics.append` calls it for metrics. Whoever writes a final status calls it in that transaction:
    answers that wait for the experiment's metrics then end at once.
    """
    session.execute(select(func.pg_notify(CHANNEL, experiment_id)))


class Listener:
    """Hears notices in a thread with a connection of its own, which it opens again whenever it is lost.

    Args:
        database_url: ``postgresql+psycopg://…``.
        heard: called in that thread with the experiment's id; with None when notices may have been missed.
    """

    def __init__(self, database_url: str, heard: Callable[[str | None], None]) -> None:
        # what libpq reads is the same URL without the name of the driver
        self._url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._heard = heard
        self._is_listening = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)

    @property
    def is_listening(self) -> bool:
        """Whether notices arrive: not while the connection is lost, nor through a pooler that drops them."""
        return self._is_listening.is_set()

    def start(self) -> None:
        """Begin to listen; returns before the connection stands."""
        self._thread.start()

    def stop(self) -> None:
        """Close the connection and end the thread, if it was started."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    self._listen(connection)
                pause = _POOLED_RETRY_SECONDS
            except psycopg.Error:
                # every request that needs the database says that it is away; here it is only tried again
                pause = _RETRY_SECONDS
            if self._is_listening.is_set():
                self._is_listening.clear()
                self._heard(None)
            self._stopping.wait(pause)

    def _connect(self) -> ImpatientConnection:
        return ImpatientConnection.connect(
            self._url,
            autocommit=True,
            **CONNECTION_OPTIONS,  # type: ignore[arg-type]  # libpq options, untyped
        )

    def _listen(self, connection: ImpatientConnection) -> None:
        """Listen until told to stop; raises `psycopg.Error`, and returns at once where notices don't pass."""
        connection.execute(f"LISTEN {CHANNEL}")
        if not self._hears_others(connection):
            return
        self._is_listening.set()
        self._heard(None)
        checked = time.monotonic()
        while not self._stopping.is_set():
            for notice in connection.notifies(timeout=_STOP_SECONDS):
                if notice.payload != _PROBE:
                    self._heard(notice.payload)
            if time.monotonic() - checked > _CHECK_SECONDS:
                connection.execute("SELECT 1")  # fails when the other end vanished without a word
                checked = time.monotonic()

    def _hears_others(self, connection: ImpatientConnection) -> bool:
        """Whether a notice sent over another connection arrives: through some poolers none ever does."""
        with closing(self._connect()) as other:
            other.execute("SELECT pg_notify(%s, %s)", [CHANNEL, _PROBE])
        return any(True for _ in connection.notifies(timeout=_PROBE_SECONDS, stop_after=1))
