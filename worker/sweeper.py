"""Finds what got lost: experiments of workers that stopped answering, and wake-up calls nobody received."""

import logging
import shutil
import threading

from db import claims, experiments, workers
from db.errors import DatabaseUnavailableError, NotFoundError
from db.publisher import announce, waiting_calls
from db.session import Database
from db.settings import Settings
from db.states import OWNED, Status

logger = logging.getLogger(__name__)


class Sweeper:
    """A thread of every worker; several sweeping at once do no harm.

    Args:
        worker: the worker's name, under which it shows itself at each sweep.
    """

    def __init__(self, settings: Settings, database: Database, worker: str) -> None:
        self._settings = settings
        self._database = database
        self._worker = worker
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._sweep_repeatedly, name="sweeper", daemon=True)

    def start(self) -> None:
        """Sweep now and every `sweep_seconds`."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sweeping and take leave."""
        self._stopping.set()
        self._thread.join()
        try:
            with self._database.session() as session:
                workers.leave(session, self._worker)
        except DatabaseUnavailableError as error:
            logger.warning("could not take leave: %s", error)

    def sweep(self) -> None:
        """Show that this worker lives, take experiments from dead ones, and call for those that wait."""
        with self._database.session() as session:
            workers.show(session, self._worker, self._settings.device)
        with self._database.session() as session:
            reaped = claims.reap(session, self._settings.max_attempts)
        for experiment in reaped:
            logger.warning("%s: its worker is gone, now %s", experiment.experiment_id, experiment.status)
        queued_again = [row.experiment_id for row in reaped if row.status is Status.QUEUED]
        broker_url = self._settings.require_broker_url()
        announce(self._database, broker_url, queued_again)
        waiting = waiting_calls(broker_url)
        if waiting is None:
            logger.warning("the broker doesn't answer; queued experiments wait for it")
            return
        with self._database.session() as session:
            forgotten = experiments.unpublished(
                session, older_than_seconds=self._settings.sweep_seconds, also_published=waiting == 0
            )
        announce(self._database, broker_url, forgotten)
        self._clear_scratch()

    def _clear_scratch(self) -> None:
        for folder in self._settings.scratch_dir.glob("exp_*-*"):
            with self._database.session() as session:
                try:
                    owned = experiments.get(session, folder.name.partition("-")[0]).status in OWNED
                except NotFoundError:
                    owned = False
            if not owned:
                shutil.rmtree(folder, ignore_errors=True)

    def _sweep_repeatedly(self) -> None:
        while True:
            try:
                self.sweep()
            except DatabaseUnavailableError as error:
                logger.warning("not swept: %s", error)
            except Exception:
                # one sweep that goes wrong must not be the last
                logger.exception("not swept")
            if self._stopping.wait(self._settings.sweep_seconds):
                return
