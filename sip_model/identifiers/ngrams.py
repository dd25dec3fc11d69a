"""Hashed character and word n-grams with TF-IDF weights: what the lexical branches read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

MIN_SAMPLES = 2

WORD_PATTERN = r"\w+|[^\w\s]"
"""Words and single punctuation marks."""

Int32Array = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NgramSpec:
    """A family of n-grams, the size of its hash table, and what reads it."""

    name: str
    """Of the branch that reads them."""
    member: Literal["trained", "naive_bayes"]
    """A linear map that is trained with the identifier's loss, or one that is counted."""
    analyzer: Literal["char_wb", "word"]
    """Characters within word boundaries, or words and single punctuation marks."""
    shortest: int
    longest: int
    hash_bits: int = 18
    """The table has 2**hash_bits buckets; equal n-grams always share one, others by chance."""


NGRAM_SPECS: tuple[NgramSpec, ...] = (
    NgramSpec("char_ngrams", "naive_bayes", "char_wb", 2, 5),
    NgramSpec("word_ngrams", "trained", "word", 1, 2),
)


class NgramRows(NamedTuple):
    """n texts over U buckets."""

    rows: sparse.csr_matrix
    """(n, U) float32, of unit length where they aren't empty."""
    novelty: FloatArray
    """(n,) share of a text's different n-grams whose bucket is none of the U; 1 for a text without any."""


class HashedNgrams:
    """Texts to sparse rows over the U buckets that at least two training samples filled (all filled ones
    where there are none of these).

    Counts are damped (1 + log tf), weighted by inverse document frequency and scaled to unit length.

    Args:
        spec: which n-grams.
        buckets: (U,) int32, ascending: bucket of each column.
        idf: (U,) float32.
    """

    def __init__(self, spec: NgramSpec, buckets: Int32Array, idf: FloatArray) -> None:
        self.spec = spec
        self.buckets = buckets
        self.idf = idf
        self._column = np.full(2**spec.hash_bits, -1, dtype=np.int32)
        self._column[buckets] = np.arange(len(buckets), dtype=np.int32)

    @classmethod
    def fit(cls, spec: NgramSpec, texts: Sequence[str]) -> Self:
        """Choose buckets and weights on training texts alone."""
        counts = _count(spec, texts)
        samples = np.bincount(counts.indices, minlength=counts.shape[1])  # samples per bucket
        shared = np.flatnonzero(samples >= MIN_SAMPLES)
        # texts without a word in common still make a branch, one with little to say
        buckets = (shared if len(shared) else np.flatnonzero(samples)).astype(np.int32)
        idf = np.log((1 + len(texts)) / (1 + samples[buckets])) + 1
        return cls(spec, buckets, idf.astype(np.float32))

    def __call__(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """n texts -> (n, U) float32; a text without a known n-gram is an empty row."""
        return self.read(texts).rows

    def columns(self, ngrams: Sequence[str]) -> Int32Array:
        """The column of each of m n-grams in small letters, (m,); -1 where its bucket is none of the U."""
        if not ngrams:
            return np.zeros(0, dtype=np.int32)
        hasher = FeatureHasher(
            2**self.spec.hash_bits, input_type="string", dtype=np.float32, alternate_sign=False
        )
        buckets = hasher.transform([ngram] for ngram in ngrams).indices
        return np.asarray(self._column[buckets], dtype=np.int32)

    def read(self, texts: Sequence[str]) -> NgramRows:
        """The rows of n texts, and how new their n-grams are."""
        counts = _count(self.spec, texts)
        columns = self._column[counts.indices]
        known = columns >= 0
        kept = np.concatenate([[0], np.cumsum(known)])[counts.indptr]
        values = (1 + np.log(counts.data[known])) * self.idf[columns[known]]
        rows = sparse.csr_matrix(
            (values.astype(np.float32), columns[known], kept), shape=(len(texts), len(self.buckets))
        )
        different = np.diff(counts.indptr)  # (n,)
        novelty = 1 - np.diff(kept) / np.maximum(different, 1)
        return NgramRows(normalize(rows, copy=False), novelty.astype(np.float32))


def _count(spec: NgramSpec, texts: Sequence[str]) -> sparse.csr_matrix:
    vectorizer = HashingVectorizer(
        analyzer=spec.analyzer,
        ngram_range=(spec.shortest, spec.longest),
        token_pattern=WORD_PATTERN if spec.analyzer == "word" else None,
        n_features=2**spec.hash_bits,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )
    return vectorizer.transform(texts)
