"""Carries progress and metrics of an attempt to its row, twice a second, without holding up the work."""

import threading
import time

from db import claims
from db.claims import Claim, Progress
from db.errors import DatabaseUnavailableError, StaleClaimError
from db.metrics import NewMetric
from db.session import Database
from worker.mirror import TensorBoardMirror

_WRITE_SECONDS = 0.5
_RETRY_SECONDS = 0.2
_BATCH_ROWS = 1000


class Reporter:
    """A background writer of one attempt's progress and metrics, every write under its claim.

    Args:
        dataset: name of the dataset, stored with each metric, where there is one.
        patience_seconds: how long the database may be away before the claim counts as lost: the lease.
        mirror: gets every metric too, once it is in the database.
    """

    def __init__(
        self,
        database: Database,
        claim: Claim,
        dataset: str | None,
        patience_seconds: float,
        mirror: TensorBoardMirror | None = None,
    ) -> None:
        self._database = database
        self._claim = claim
        self._dataset = dataset
        self._patience_seconds = patience_seconds
        self._mirror = mirror
        self._pending = threading.Lock()
        self._metrics: list[NewMetric] = []
        self._progress: Progress | None = None
        self._phase = _Phase("", 0, 0.0)
        self._failure: Exception | None = None
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._all_written = threading.Event()
        self._thread = threading.Thread(target=self._write_repeatedly, name="reporter", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def progress(self, phase: str, done: int, total: int, unit: str) -> None:
        """Hand over how far a phase is; raises what the last write raised."""
        self._raise_failure()
        now = time.monotonic()
        with self._pending:
            if phase != self._phase.name:
                self._phase = _Phase(phase, done, now)
            self._progress = Progress(
                phase=phase,
                done=done,
                total=total,
                unit=unit,
                eta_seconds=self._phase.eta_seconds(done, total, now),
            )
            self._all_written.clear()

    def metric(self, metric: NewMetric) -> None:
        """Hand over a value; raises what the last write raised."""
        self._raise_failure()
        with self._pending:
            self._metrics.append(metric)
            self._all_written.clear()

    def flush(self) -> None:
        """Wait until all that was handed over is written; raises what a write raised."""
        self._wake.set()
        while not self._all_written.wait(_RETRY_SECONDS):
            self._raise_failure()

    def stop(self) -> None:
        """Write what is left and stop; what goes wrong with that is kept for `close`."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        if self._mirror is not None:
            self._mirror.close()

    def close(self) -> None:
        """Write what is left and stop; raises `StaleClaimError`, or what else a write raised."""
        self.stop()
        self._raise_failure()

    def _write_repeatedly(self) -> None:
        last_success = time.monotonic()
        try:
            while True:
                self._wake.wait(_WRITE_SECONDS)
                self._wake.clear()
                closing = self._closing.is_set()
                if closing:
                    self._wake.set()  # no more waiting between the last batches
                try:
                    written = self._write_batch()
                    last_success = time.monotonic()
                except DatabaseUnavailableError:
                    if time.monotonic() - last_success > self._patience_seconds:
                        raise StaleClaimError(self._claim.experiment_id, self._claim.attempt) from None
                    time.sleep(_RETRY_SECONDS)
                    written = True
                if closing and not written:
                    return
        except Exception as error:  # noqa: BLE001 - raised again where the work goes on, in the main thread
            self._failure = error

    def _write_batch(self) -> bool:
        """Write what is pending; False when nothing was. What couldn't be written is pending again."""
        with self._pending:
            batch, self._metrics = self._metrics[:_BATCH_ROWS], self._metrics[_BATCH_ROWS:]
            progress, self._progress = self._progress, None
            if not batch and progress is None:
                self._all_written.set()
                return False
        try:
            with self._database.session() as session:
                claims.record(
                    session, self._claim, progress=progress, new_metrics=batch, dataset=self._dataset
                )
        except DatabaseUnavailableError:
            with self._pending:
                self._metrics = batch + self._metrics
                self._progress = self._progress or progress
            raise
        if self._mirror is not None and batch:
            self._mirror.write(batch)
        with self._pending:
            if self._metrics or self._progress is not None:
                self._wake.set()
            else:
                self._all_written.set()
        return True

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


class _Phase:
    """When a phase began and where it stood then (a resumed one doesn't begin at 0)."""

    def __init__(self, name: str, done: int, since: float) -> None:
        self.name = name
        self._done = done
        self._since = since

    def eta_seconds(self, done: int, total: int, now: float) -> float | None:
        """Seconds to go at the pace so far; None before anything is done, and without a total."""
        if total and done >= total:
            return 0.0
        if not total or done <= self._done or now <= self._since:
            return None
        return (now - self._since) / (done - self._done) * (total - done)
