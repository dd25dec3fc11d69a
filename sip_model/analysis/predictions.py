"""``predictions.parquet``: what was predicted for every chunk, so that anyone can recompute the scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from sip_model.analysis.scores import ranked

_PREDICTED = pa.list_(pa.struct([("source", pa.string()), ("probability", pa.float64())]))
_EVALUATION = {"split": pa.string(), "sources": pa.list_(pa.string()), "lexical_baseline": pa.string()}

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Where n chunks come from: document ids and code points in them."""

    documents: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]


class PredictionTable:
    """A Parquet table written in pieces; a row holds document, start, end, predicted and unknown, and the
    further columns asked for.

    Args:
        path: of the file.
        sources: C names.
        top_k: sources kept per row.
        extra: further columns, name to type.
    """

    def __init__(
        self, path: Path, sources: Sequence[str], top_k: int, extra: dict[str, pa.DataType] | None = None
    ) -> None:
        self._sources = sources
        self._top_k = top_k
        columns = {
            "document": pa.string(),
            "start": pa.int64(),
            "end": pa.int64(),
            "predicted": _PREDICTED,
            "unknown": pa.float64(),
        }
        self.schema = pa.schema(list((columns | (extra or {})).items()))
        self._writer = pq.ParquetWriter(path, self.schema, compression="zstd")

    def write(self, spans: Spans, probabilities: Array, unknown: Array, **extra: Sequence[object]) -> None:
        """Append n rows.

        Args:
            spans: where the chunks come from.
            probabilities: (n, C).
            unknown: (n,).
            extra: a value per row for each further column.
        """
        best = ranked(probabilities, self._top_k)
        values = np.take_along_axis(probabilities, best, axis=1)
        predicted = [
            [{"source": self._sources[s], "probability": p} for s, p in zip(row, masses, strict=True)]
            for row, masses in zip(best.tolist(), values.tolist(), strict=True)
        ]
        columns = {
            "document": list(spans.documents),
            "start": list(spans.starts),
            "end": list(spans.ends),
            "predicted": predicted,
            "unknown": unknown.tolist(),
            **{name: list(values) for name, values in extra.items()},
        }
        self._writer.write_table(pa.table(columns, schema=self.schema))

    def copy(self, path: Path) -> None:
        """Append the rows of another such table, of the same columns."""
        with pq.ParquetFile(path) as table:
            for group in range(table.num_row_groups):
                self._writer.write_table(table.read_row_group(group))

    def close(self) -> None:
        """End the file; before that it can't be read."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def evaluation_table(path: Path, sources: Sequence[str], top_k: int = 10) -> PredictionTable:
    """The table `train` and `evaluate` leave: with the part, the right sources and, where there is one, the
    lexical baseline's prediction of each chunk."""
    return PredictionTable(path, sources, top_k, _EVALUATION)


def probe_table(path: Path, sources: Sequence[str], top_k: int = 5) -> PredictionTable:
    """The table `probe` leaves: that of an evaluation, per layer, probe and seed. A probe knows no other
    source than those it learned: its `unknown` is 0."""
    extra = {"layer": pa.int64(), "probe": pa.string(), "probe_seed": pa.int64()}
    return PredictionTable(path, sources, top_k, _EVALUATION | extra)
