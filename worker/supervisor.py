"""Sees one experiment through: claims it, runs its process, keeps the lease, and settles how it ended."""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from sqlalchemy.orm import Session

from db import claims, experiments
from db.claims import Claim, Command, Failure
from db.disk import DiskQuota
from db.errors import DatabaseUnavailableError, NotFoundError, StaleClaimError, StorageError
from db.logs import bind_experiment
from db.publisher import announce_relatives
from db.session import Database
from db.settings import Settings
from db.states import Status
from db.storage import ArtifactStore
from worker.assignment import Assignment
from worker.device import Device
from worker.failures import describe, describe_exit, describe_overdue
from worker.patience import transact
from worker.process import AttemptProcess, Template

_POLL_SECONDS = 0.1

logger = logging.getLogger(__name__)


class _Ending(Enum):
    EXITED = auto()
    CANCELLED = auto()
    RELEASED = auto()
    OVERDUE = auto()
    LOST = auto()


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """Runs experiments, one process each, for a worker.

    Args:
        worker: the worker's name, shown in the experiment's row.
        device: what its experiments compute on.
        stopping: set when the worker stops: the process is ended and the experiment goes back to the queue.
        template: what the processes of attempts are forked from.
    """

    settings: Settings
    database: Database
    store: ArtifactStore
    worker: str
    device: Device
    stopping: threading.Event
    template: Template = field(default_factory=Template)

    def run(self, experiment_id: str) -> None:
        """Run an experiment if it is still queued; a call for any other does nothing.

        Raises `DatabaseUnavailableError` when it can't be claimed; the sweeper will call again.
        """
        if self.stopping.is_set():
            return
        with self.database.session() as session:
            claim = claims.claim(session, experiment_id, self.worker, self.settings.lease_seconds)
        if claim is None:
            logger.info("%s: not queued any more, nothing to do", experiment_id)
            return
        with bind_experiment(experiment_id, attempt=claim.attempt, request_id=claim.request_id):
            self._see_through(claim)

    def _see_through(self, claim: Claim) -> None:
        logger.info("%s: attempt %d begins", claim.experiment_id, claim.attempt)
        try:
            self._attempt(claim)
        except DatabaseUnavailableError as error:
            # the lease runs out by itself
            logger.warning(
                "%s: the end of attempt %d isn't written: %s", claim.experiment_id, claim.attempt, error
            )
        else:
            announce_relatives(self.database, self.settings.require_broker_url(), claim.experiment_id)
            self._discard_unpublished(claim)

    def _attempt(self, claim: Claim) -> None:
        scratch = self.settings.scratch_dir / f"{claim.experiment_id}-{claim.attempt}"
        try:
            self._make_scratch(claim, scratch)
            process = self._start(claim, scratch)
        except OSError as error:
            failure = describe(error)
            self._settle(claim, lambda session: self._crash(session, claim, failure))
            return
        try:
            ending = self._watch(process, claim)
        finally:
            status = process.end(self.settings.stop_seconds)
            shutil.rmtree(scratch, ignore_errors=True)
        if ending is _Ending.EXITED:
            self._settle(claim, lambda session: self._crash(session, claim, describe_exit(status)))
        elif ending is _Ending.OVERDUE:
            failure = describe_overdue(self.settings.max_job_seconds)
            self._settle(claim, lambda session: claims.fail(session, claim, failure))
        elif ending is not _Ending.LOST:
            self._settle(claim, lambda session: claims.release(session, claim))

    def _make_scratch(self, claim: Claim, scratch: Path) -> None:
        DiskQuota.from_settings(self.settings).require()
        # what the attempts of a killed worker left behind goes first
        for leftover in self.settings.scratch_dir.glob(f"{claim.experiment_id}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        scratch.mkdir(parents=True)

    def _start(self, claim: Claim, scratch: Path) -> AttemptProcess:
        assignment = Assignment(
            settings=self.settings,
            experiment_id=claim.experiment_id,
            kind=claim.kind,
            token=claim.token,
            attempt=claim.attempt,
            scratch=scratch,
            request_id=claim.request_id,
            worker=self.worker,
            device=self.device.name,
        )
        return AttemptProcess(self.template, claim.kind, assignment)

    def _watch(self, process: AttemptProcess, claim: Claim) -> _Ending:
        """Renew the lease until the process ends or has to be ended."""
        began = renewed = last_try = time.monotonic()
        while not process.has_ended(_POLL_SECONDS):
            if self.stopping.is_set():
                return _Ending.RELEASED
            if time.monotonic() - began > self.settings.max_job_seconds:
                return _Ending.OVERDUE
            if time.monotonic() - last_try < self.settings.heartbeat_seconds:
                continue
            last_try = time.monotonic()
            try:
                with self.database.session() as session:
                    command = claims.heartbeat(session, claim, self.settings.lease_seconds)
            except StaleClaimError as error:
                # the process may just have written the end itself
                if process.has_ended(self.settings.stop_seconds):
                    return _Ending.EXITED
                logger.warning("%s", error)
                return _Ending.LOST
            except DatabaseUnavailableError as error:
                logger.warning("%s: lease not renewed: %s", claim.experiment_id, error)
                if time.monotonic() - renewed > self.settings.lease_seconds:
                    return _Ending.LOST
                continue
            renewed = last_try
            if command is Command.CANCEL:
                return _Ending.CANCELLED
        return _Ending.EXITED

    def _crash(self, session: Session, claim: Claim, failure: Failure) -> Status:
        return claims.crash(session, claim, failure, self.settings.max_attempts)

    def _settle(self, claim: Claim, write: Callable[[Session], Status]) -> None:
        """Write how the attempt ended unless its process did."""
        try:
            status = transact(self.database, write, self.settings.lease_seconds)
        except StaleClaimError:
            logger.info("%s: attempt %d is over", claim.experiment_id, claim.attempt)
            return
        logger.info("%s: attempt %d is over, now %s", claim.experiment_id, claim.attempt, status)

    def _discard_unpublished(self, claim: Claim) -> None:
        """Delete the files of an attempt that published none; the sweeper does it for workers that can't."""
        try:
            published = transact(
                self.database, lambda session: self._is_published(session, claim), self.settings.lease_seconds
            )
        except DatabaseUnavailableError:
            return  # there is no telling: keep the files
        if published:
            return
        try:
            for prefix in claim.prefixes:
                self.store.delete_prefix(prefix)
        except (OSError, StorageError) as error:
            logger.warning("%s: files left for the sweeper: %s", claim.experiment_id, error)

    def _is_published(self, session: Session, claim: Claim) -> bool:
        try:
            row = experiments.get(session, claim.experiment_id)
        except NotFoundError:
            return False
        return row.status == Status.SUCCEEDED and row.attempt == claim.attempt
