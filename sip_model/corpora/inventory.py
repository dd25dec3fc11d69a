"""What there is to choose from: the first pass over a corpus, which keeps numbers only."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.corpora.chunking import IntArray, Offsets, count_chunks
from sip_model.corpora.store import Corpus
from sip_model.experiments.config import ChunkConfig


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """Chunks and sources of every document of a corpus; D documents, S sources."""

    num_chunks: npt.NDArray[np.int32]
    """(D,)"""
    indptr: IntArray
    """(D + 1,): document d has the sources ``indices[indptr[d]:indptr[d + 1]]``."""
    indices: npt.NDArray[np.int32]
    sources: Sequence[str]
    """(S,) in order of first appearance."""
    authors: Sequence[str | None]
    """(S,): the author on whom all documents of the source agree."""

    def num_source_chunks(self) -> IntArray:
        """Chunks of each source, (S,); a document of several sources counts for each."""
        per_link = np.repeat(self.num_chunks, np.diff(self.indptr))
        totals = np.bincount(self.indices, weights=per_link, minlength=len(self.sources))
        return totals.astype(np.int64)


def take_inventory(corpus: Corpus, chunk: ChunkConfig, offsets: Offsets | None) -> Inventory:
    """Count the chunks of every document; about 16 bytes of memory per document."""
    num_chunks, indptr, indices = array("i"), array("q", [0]), array("i")
    numbers: dict[str, int] = {}
    authors: list[str | None] = []
    for document in corpus.documents():
        num_chunks.append(count_chunks(document.text, chunk, offsets))
        for source in document.sources:
            number = numbers.setdefault(source, len(numbers))
            indices.append(number)
            if number == len(authors):
                authors.append(document.author)
            elif authors[number] != document.author:
                authors[number] = None
        indptr.append(len(indices))
    return Inventory(
        num_chunks=np.frombuffer(num_chunks, np.int32),
        indptr=np.frombuffer(indptr, np.int64),
        indices=np.frombuffer(indices, np.int32),
        sources=list(numbers),
        authors=authors,
    )
