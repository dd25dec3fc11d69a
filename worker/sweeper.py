"""Finds what got lost: experiments of workers that stopped answering, and wake-up calls nobody received."""

import logging
import shutil
import threading

from db import claims, experiments, idempotency, loose_files, workers
from db.errors import DatabaseUnavailableError, NotFoundError, StorageError
from db.publisher import announce, announce_relatives, waiting_calls
from db.session import Database
from db.settings import Settings
from db.states import OWNED, Queue
from db.storage import ArtifactStore

logger = logging.getLogger(__name__)
_LEASES_UNTIL_LAST_LOOK = 3


class Sweeper:
    """A thread of every worker; several sweeping at once do no harm.

    Args:
        worker: the worker's name, under which it shows itself at each sweep.
        device: what the worker computes on, as others see it.
    """

    def __init__(
        self, settings: Settings, database: Database, store: ArtifactStore, worker: str, device: str
    ) -> None:
        self._settings = settings
        self._database = database
        self._store = store
        self._worker = worker
        self._device = device
        self._short: frozenset[Queue] = frozenset()
        """Queues that had fewer calls than experiments at the sweep before."""
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
        """Show that this worker lives, take experiments from dead ones, call for those that wait, tidy up."""
        waiting = waiting_calls(self._settings.require_broker_url())
        with self._database.session() as session:
            workers.show(
                session, self._worker, self._device, self._settings.queues, hears_calls=waiting is not None
            )
            workers.forget_dead(session)
            idempotency.purge(session)
        self._reap()
        self._call_again(waiting)
        self._delete_abandoned_files()
        self._clear_scratch()

    def _reap(self) -> None:
        with self._database.session() as session:
            reaped = claims.reap(session, self._settings.max_attempts)
        for experiment in reaped:
            logger.warning("%s: its worker is gone, now %s", experiment.experiment_id, experiment.status)
            announce_relatives(self._database, self._settings.require_broker_url(), experiment.experiment_id)

    def _call_again(self, waiting: dict[Queue, int] | None) -> None:
        broker_url = self._settings.require_broker_url()
        if waiting is None:
            logger.warning("the broker doesn't answer; queued experiments wait for it")
            return
        with self._database.session() as session:
            queued = experiments.num_queued(session)
            short = frozenset(queue for queue in Queue if waiting[queue] < queued[queue])
            uncalled = experiments.uncalled(
                session,
                older_than_seconds=self._settings.sweep_seconds,
                # short once is every queue whose experiment is about to be called for, or to be claimed
                also_called=short & self._short,
            )
        self._short = short
        announce(self._database, broker_url, uncalled)

    def _delete_abandoned_files(self) -> None:
        with self._database.session() as session:
            prefixes = loose_files.abandoned(session)
        deleted = []
        for prefix in prefixes:
            try:
                self._store.delete_prefix(prefix)
            except (OSError, StorageError) as error:
                logger.warning("%s: could not be deleted, tried again later: %s", prefix, error)
            else:
                deleted.append(prefix)
        if deleted:
            with self._database.session() as session:
                loose_files.deleted(session, deleted, _LEASES_UNTIL_LAST_LOOK * self._settings.lease_seconds)

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
