"""The test part of a run's `predictions.parquet`, and how two identifiers compare on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from sip_model.analysis.bootstrap import PairedDifference, paired_bootstrap

Array = npt.NDArray[np.float64]


class UnequalPartsError(Exception):
    """Two runs that should have the same test part don't; nothing can be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a run predicted for the n samples of its test part."""

    spans: list[tuple[str, int, int]]
    """Document, start and end of each sample, in order."""
    right: Array
    """(n,) 1 where the identifier's first source is among the right ones, else 0."""
    lexical: list[str]
    """The lexical baseline's source for each sample."""
    lexical_right: Array
    """(n,) 1 where it is among the right ones, else 0."""

    @property
    def documents(self) -> npt.NDArray[np.str_]:
        """(n,) the document of each sample."""
        return np.array([document for document, _, _ in self.spans])


def read_answers(path: Path) -> Answers:
    """Read the rows of `predictions.parquet` whose split is `test`, ordered by place."""
    rows = pq.read_table(path, filters=[("split", "==", "test")]).to_pylist()
    rows.sort(key=lambda row: (row["document"], row["start"], row["end"]))
    return Answers(
        spans=[(row["document"], row["start"], row["end"]) for row in rows],
        right=_ones(row["predicted"][0]["source"] in row["sources"] for row in rows),
        lexical=[row["lexical_baseline"] for row in rows],
        lexical_right=_ones(row["lexical_baseline"] in row["sources"] for row in rows),
    )


def check_same(first: Answers, second: Answers) -> None:
    """Raise `UnequalPartsError` unless both predict the same samples, beside the same lexical baseline."""
    if first.spans != second.spans:
        raise UnequalPartsError("two runs of one seed have different test parts")
    if first.lexical != second.lexical:
        raise UnequalPartsError("two runs of one seed have different lexical baselines")


def compare(
    first: Sequence[Array], second: Sequence[Array], documents: Sequence[npt.NDArray[np.str_]]
) -> tuple[PairedDifference, list[PairedDifference]]:
    """Top-1 of one identifier minus another's on the same samples: over all seeds, and of each seed.

    Args:
        first: per seed (n,), 1 where right.
        second: per seed (n,), on the same samples.
        documents: per seed (n,), what is resampled; a document is the same one in every seed.
    """
    pooled = paired_bootstrap(np.concatenate(first), np.concatenate(second), np.concatenate(documents))
    each = [paired_bootstrap(*parts) for parts in zip(first, second, documents, strict=True)]
    return pooled, each


def _ones(flags: Iterable[bool]) -> Array:
    return np.array(list(flags), dtype=np.float64)
