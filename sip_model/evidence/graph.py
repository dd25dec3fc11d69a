"""Approximate search among very many vectors: a graph of near neighbours (HNSW, Malkov and Yashunin 2018).

Made and searched by usearch, which is an extra: without it every vector is looked at.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from usearch.index import Index

EDGES, WIDTH_WHEN_MADE, WIDTH_WHEN_SEARCHED = 16, 128, 256
"""Edges per vector; candidates kept while the graph is made, and while it is searched."""

FloatArray = npt.NDArray[np.float32]


def is_graph_search_installed() -> bool:
    """Whether graphs can be made and searched here."""
    return find_spec("usearch") is not None


class NeighbourGraph:
    """A graph over n vectors of length 1.

    Args:
        content: its bytes, as :meth:`build` made them; they are mapped, not read.
    """

    def __init__(self, content: npt.NDArray[np.uint8]) -> None:
        self.content = content
        self._index: Index | None = None

    @classmethod
    def build(cls, vectors: npt.NDArray[np.float16]) -> "NeighbourGraph":
        """Over vectors (n, d); one thread, so that the same vectors always make the same graph."""
        from usearch.index import Index

        index = Index(
            ndim=vectors.shape[1],
            metric="ip",
            dtype="f16",
            connectivity=EDGES,
            expansion_add=WIDTH_WHEN_MADE,
            expansion_search=WIDTH_WHEN_SEARCHED,
        )
        index.add(np.arange(len(vectors)), vectors, threads=1)
        return cls(np.frombuffer(bytes(index.save()), np.uint8))

    def nearest(self, wanted: FloatArray, k: int) -> npt.NDArray[np.int64]:
        """The k vectors of highest cosine as far as the graph leads to them, (q, d) -> (q, k)."""
        if self._index is None:
            from usearch.index import Index

            # the width isn't among what is stored
            self._index = Index.restore(self.content.data, view=True)
            self._index.expansion_search = WIDTH_WHEN_SEARCHED
        found = self._index.search(wanted.astype(np.float16), k, threads=1)
        return np.asarray(found.keys, dtype=np.int64).reshape(len(wanted), -1)
