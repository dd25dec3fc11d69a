"""A table of predictions that grows over several attempts, none of which repeats what another has kept."""

import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sip_model.analysis.predictions import Array, PredictionTable, Spans
from worker.jobs.context import JobContext

KEEP_SECONDS = 30.0
"""Between two times that the table is kept, at least."""
KEEPING_SHARE = 0.05
"""Of the time, at most, that goes into keeping the table: all of it is written each time."""


class KeptTable:
    """The table of one experiment.

    Args:
        context: of this attempt. What an earlier one kept is taken up from, unless its columns are others.
        sources: C names.
        top_k: sources kept per row.
    """

    def __init__(self, context: JobContext[object], sources: Sequence[str], top_k: int) -> None:
        self._context = context
        self._sources, self._top_k = sources, top_k
        self._path = context.checkpoint_path()
        self._new_path = context.scratch / "new.parquet"
        self._new = self._begin()
        self.num_kept = self._rows_kept()
        """Rows that earlier attempts have kept."""
        self._due_at = time.monotonic() + KEEP_SECONDS

    def write(self, spans: Spans, probabilities: Array, unknown: Array) -> None:
        """Append rows, see :meth:`PredictionTable.write`; all of them are kept when it is time."""
        self._new.write(spans, probabilities, unknown)

    def keep_if_due(self) -> None:
        """Keep all rows for a later attempt, where it is time to, or where this one is about to end."""
        started = time.monotonic()
        if started < self._due_at and not self._context.checkpoint_wanted():
            return
        self._join(self._path)
        self._new = self._begin()
        self._context.keep_checkpoint(self._path)
        now = time.monotonic()
        self._due_at = now + max(KEEP_SECONDS, (now - started) / KEEPING_SHARE)

    def finish(self, path: Path) -> None:
        """Write all rows to a file, once there are no more."""
        self._join(path)

    def _begin(self) -> PredictionTable:
        return PredictionTable(self._new_path, self._sources, self._top_k)

    def _rows_kept(self) -> int:
        if not self._path.exists():
            return 0
        try:
            with pq.ParquetFile(self._path) as table:
                if table.schema_arrow.equals(self._new.schema):
                    return int(table.metadata.num_rows)
                reason = "its columns are others than those written now"
        except pa.ArrowInvalid as error:
            reason = str(error)
        self._context.warn(f"the rows kept by an earlier attempt can't be used: {reason}")
        self._path.unlink()
        return 0

    def _join(self, path: Path) -> None:
        """Write the rows kept and the new ones to `path`, whole or not at all."""
        self._new.close()
        parts = [part for part in (self._path, self._new_path) if part.exists()]
        joined = self._context.scratch / "joined.parquet"
        with PredictionTable(joined, self._sources, self._top_k) as table:
            for part in parts:
                table.copy(part)
        joined.replace(path)
