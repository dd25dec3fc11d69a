"""Which training passages share words with a text: cosines of TF-IDF weights, from an inverted index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sip_model.identifiers.ngrams import HashedNgrams, NgramSpec

SPEC = NgramSpec("evidence_words", "trained", "word", 1, 2)

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LexicalIndex:
    """The words and pairs of words of n passages, and the passages of each."""

    ngrams: HashedNgrams
    postings: sparse.csr_matrix
    """(U, n) float32: a row holds the weights of one n-gram in the passages."""

    @classmethod
    def build(cls, texts: Sequence[str]) -> Self:
        """Index n passages."""
        ngrams = HashedNgrams.fit(SPEC, texts)
        return cls(ngrams, ngrams(texts).T.tocsr())

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]], num_passages: int) -> Self:
        """What :meth:`arrays` gave."""
        buckets, idf, indptr, indices, weights = (
            arrays[f"lexical.{name}"] for name in ("buckets", "idf", "indptr", "indices", "weights")
        )
        postings = sparse.csr_matrix((len(buckets), num_passages), dtype=np.float32)
        # set one by one: the constructor would read all of them to check what the sha256 has vouched for
        postings.indptr, postings.indices, postings.data = indptr, indices, weights
        ngrams = HashedNgrams(SPEC, buckets.astype(np.int32, copy=False), idf.astype(np.float32, copy=False))
        return cls(ngrams, postings)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store, by name."""
        return {
            "lexical.buckets": self.ngrams.buckets,
            "lexical.idf": self.ngrams.idf,
            "lexical.indptr": self.postings.indptr,
            "lexical.indices": self.postings.indices,
            "lexical.weights": self.postings.data,
        }

    def cosines(self, texts: Sequence[str]) -> FloatArray:
        """Of every text with every passage, (q, n)."""
        found: FloatArray = (self.ngrams(texts) @ self.postings).toarray()
        return found
