"""The passages' vectors, in half precision, and the search for the nearest among them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from sip_model.evidence.graph import NeighbourGraph, is_graph_search_installed
from sip_model.evidence.words import IntArray

MAX_EXACT = 100_000
"""Passages up to which every vector is looked at."""
BLOCK_PASSAGES = 16_384
"""Vectors in single precision at a time."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PassageVectors:
    """n vectors of length 1."""

    vectors: npt.NDArray[np.float16]
    """(n, d)"""
    graph: NeighbourGraph | None
    """Over more than `MAX_EXACT` vectors, where the library for it was there when they were stored."""

    @classmethod
    def build(cls, vectors: FloatArray) -> Self:
        """Keep vectors (n, d)."""
        kept = vectors.astype(np.float16)
        wants_graph = len(kept) > MAX_EXACT and is_graph_search_installed()
        return cls(kept, NeighbourGraph.build(kept) if wants_graph else None)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """What :meth:`arrays` gave."""
        content = arrays.get("vectors.graph")
        graph = None if content is None else NeighbourGraph(content.astype(np.uint8, copy=False))
        return cls(arrays["vectors"].astype(np.float16, copy=False), graph)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store, by name."""
        stored: dict[str, npt.NDArray[np.generic]] = {"vectors": self.vectors}
        return stored if self.graph is None else stored | {"vectors.graph": self.graph.content}

    def nearest(self, wanted: FloatArray, k: int) -> IntArray:
        """The k passages of highest cosine, in no order: vectors (q, d) -> numbers (q, min(k, n))."""
        if self.graph is not None and is_graph_search_installed():
            return self.graph.nearest(wanted, k)
        numbers = np.zeros((len(wanted), 0), np.int64)
        cosines = np.zeros((len(wanted), 0), np.float32)
        for start in range(0, len(self.vectors), BLOCK_PASSAGES):
            block = self.vectors[start : start + BLOCK_PASSAGES].astype(np.float32)  # (b, d)
            places = np.broadcast_to(np.arange(start, start + len(block)), (len(wanted), len(block)))
            numbers = np.concatenate([numbers, places], axis=1)
            cosines = np.concatenate([cosines, wanted @ block.T], axis=1)
            best = largest(cosines, k)
            numbers, cosines = np.take_along_axis(numbers, best, 1), np.take_along_axis(cosines, best, 1)
        return numbers

    def cosines(self, vector: FloatArray, passages: IntArray) -> FloatArray:
        """Of a vector (d,) with those of some passages, (k,)."""
        return np.asarray(self.vectors[passages].astype(np.float32) @ vector)


def largest(values: npt.NDArray[np.floating], k: int) -> IntArray:
    """Places of the k largest along the last axis, (…, n) -> (…, min(k, n)), unordered."""
    if k >= values.shape[-1]:
        return np.broadcast_to(np.arange(values.shape[-1]), values.shape).copy()
    return np.asarray(np.argpartition(-values, k - 1, axis=-1)[..., :k])
