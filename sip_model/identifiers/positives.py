"""Which sources are right for which sample, without ever building the dense (n, C) target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PositiveIndex:
    """The positives of a batch of B samples, P >= B of them."""

    rows: torch.Tensor
    """(P,) int64, the sample within the batch."""
    columns: torch.Tensor
    """(P,) int64, the source."""

    @property
    def weights(self) -> torch.Tensor:
        """(P,) float32, 1 / number of positives of that sample."""
        return 1.0 / torch.bincount(self.rows)[self.rows].float()


@dataclass(frozen=True, slots=True, eq=False)
class Positives:
    """The positives of n samples in compressed rows: ``indices[indptr[i]:indptr[i + 1]]`` for sample i."""

    indptr: IntArray
    """(n + 1,)"""
    indices: IntArray
    """(total,) source numbers."""

    @classmethod
    def from_lists(cls, lists: Sequence[IntArray]) -> Self:
        """From n arrays of source numbers; a sample of no known source has none."""
        indptr = np.zeros(len(lists) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in lists], out=indptr[1:])
        indices = np.concatenate(lists) if lists else np.zeros(0, dtype=np.int64)
        return cls(indptr, indices.astype(np.int64))

    @classmethod
    def joined(cls, parts: Sequence["Positives"]) -> Self:
        """The samples of all parts, in order."""
        counts = np.concatenate([part.counts for part in parts])
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(indptr, np.concatenate([part.indices for part in parts]))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]], prefix: str) -> Self:
        """What :meth:`arrays` gave."""
        indptr, indices = (arrays[f"{prefix}.{name}"].astype(np.int64) for name in ("indptr", "sources"))
        return cls(indptr, indices)

    def arrays(self, prefix: str) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store, by names that begin with `prefix`."""
        return {f"{prefix}.indptr": self.indptr, f"{prefix}.sources": self.indices.astype(np.int32)}

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def counts(self) -> IntArray:
        """(n,) number of positives of each sample."""
        return np.diff(self.indptr)

    def pairs(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """All (position in `rows`, source) pairs of the samples `rows`, two arrays (P,)."""
        firsts = self.indptr[rows]
        counts = self.indptr[rows + 1] - firsts
        positions = np.repeat(np.arange(len(rows)), counts)
        shifts = firsts - (np.cumsum(counts) - counts)  # from a pair's number to its place in `indices`
        return positions, self.indices[np.arange(len(positions)) + shifts[positions]]

    def take(self, rows: IntArray) -> "Positives":
        """The positives of the samples `rows` alone, renumbered from 0."""
        _, sources = self.pairs(rows)
        return Positives(np.concatenate([[0], np.cumsum(self.counts[rows])]).astype(np.int64), sources)

    def grouped(self, rows: IntArray, groups: IntArray, num_groups: int) -> "Positives":
        """The sources of groups of samples, each once, ascending.

        Args:
            rows: (m,) a sample in a group; it may be in several.
            groups: (m,) that group's number.
            num_groups: g groups, of which some may be empty.
        """
        places, sources = self.pairs(rows)
        num_sources = int(sources.max(initial=0)) + 1
        pairs = np.unique(groups[places] * num_sources + sources)
        counts = np.bincount(pairs // num_sources, minlength=num_groups)
        return Positives(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), pairs % num_sources)

    def index(self, rows: IntArray, device: torch.device) -> PositiveIndex:
        """The positives of a batch, as tensors."""
        positions, sources = self.pairs(rows)
        return PositiveIndex(torch.from_numpy(positions).to(device), torch.from_numpy(sources).to(device))

    def mark(self, predicted: IntArray) -> npt.NDArray[np.bool_]:
        """Whether predictions are right: `predicted` (n, k) source numbers -> (n, k) bool."""
        right = np.zeros(predicted.shape, dtype=np.bool_)
        positions, sources = self.pairs(np.arange(len(self)))
        hits = predicted[positions] == sources[:, None]  # (P, k)
        np.logical_or.at(right, positions, hits)
        return right
