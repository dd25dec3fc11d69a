"""The words of each source: how much of what is rare in a text its sources share, names apart.

Members that weigh every n-gram hardly notice that a text is full of words its source never used. That its
rare words are of one source's own, above all its names, tells whose it is (as in retrieval, where documents
are ranked by the inverse document frequency of the terms shared: Robertson and Spärck Jones 1976); that they
are nobody's tells that it is of no known source.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from sip_model.evidence.words import Words
from sip_model.identifiers.positives import IntArray, Positives

VOCABULARY_MEMBERS = ("shared_words", "shared_names")
"""Names of the members: over all words, and over names alone."""
VOCABULARY_SIGNS = ("missing", "standing", "unseen")
"""Of a text of no known source, for each member; see :func:`vocabulary_signs`."""
MIN_SPREAD = 1e-3
"""Standard deviation of the sources' shares below which none stands out."""

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Int32Array = npt.NDArray[np.int32]


class VocabularyScores(NamedTuple):
    """What n texts share with C sources; first of all words, then of names alone."""

    shared: torch.Tensor
    """(2, n, C) float32: inverse frequencies, added up over the different words that a source has too."""
    total: Array
    """(2, n): added up over all the text's words."""
    unseen: Array
    """(2, n): added up over those that no source has."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The words of what was learned from, by number, and the sources each stands in; no text.

    A name is a word with a capital that the texts learned from never have in small letters. Words weigh
    ``log((C + 1) / (c + ½))``, with c the number of the C sources that have them.
    """

    words: Int32Array
    """(V,) numbers of :class:`~sip_model.evidence.words.Words`, ascending."""
    is_small: BoolArray
    """(V,) whether it was found without a capital."""
    sources: Positives
    """Of the V words."""
    num_sources: int
    """C"""

    @classmethod
    def build(cls, texts: Sequence[str], positives: Positives, num_sources: int) -> Self:
        """Remember the words of n texts.

        Args:
            texts: n texts.
            positives: their sources.
            num_sources: C.
        """
        found = _read(texts)
        words, numbers = np.unique(found.words, return_inverse=True)
        is_small = np.zeros(len(words), np.bool_)
        is_small[numbers[~found.has_capital]] = True
        return cls(words, is_small, positives.grouped(found.texts, numbers, len(words)), num_sources)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]], num_sources: int) -> Self:
        """What :meth:`arrays` gave."""
        return cls(
            arrays["vocabulary.words"].astype(np.int32),
            arrays["vocabulary.is_small"].astype(np.bool_),
            Positives.from_arrays(arrays, "vocabulary"),
            num_sources,
        )

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store, by name."""
        return {
            "vocabulary.words": self.words,
            "vocabulary.is_small": self.is_small,
            **self.sources.arrays("vocabulary"),
        }

    @property
    def usual_name(self) -> float:
        """What a word of one source alone weighs."""
        return math.log((self.num_sources + 1) / 1.5)

    def scores(self, texts: Sequence[str]) -> VocabularyScores:
        """Of n texts; a text's scores don't depend on the others."""
        weighed = self.weighed(texts)
        shared, total, unseen = [], np.zeros((2, len(texts))), np.zeros((2, len(texts)))
        for kind, of_kind in enumerate((np.ones(len(weighed.texts), np.bool_), weighed.is_name)):
            rows, weights, columns = (
                part[of_kind] for part in (weighed.texts, weighed.weights, weighed.columns)
            )
            is_known = columns >= 0
            total[kind] = np.bincount(rows, weights, len(texts))
            unseen[kind] = np.bincount(rows[~is_known], weights[~is_known], len(texts))
            values = sparse.csr_matrix(
                (weights[is_known], (rows[is_known], columns[is_known])), (len(texts), len(self.words))
            )
            shared.append((values @ self._sources_of_words()).toarray())  # (n, C)
        return VocabularyScores(torch.from_numpy(np.stack(shared).astype(np.float32)), total, unseen)

    def weighed(self, texts: Sequence[str]) -> "WeighedWords":
        """The different words of n texts."""
        found = _read(texts)
        # each (text, word) once, whether with a capital or without
        keys = found.texts << 32 | (found.words.astype(np.int64) & 0xFFFFFFFF)
        distinct, numbers = np.unique(keys, return_inverse=True)
        rows, words = distinct >> 32, (distinct & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
        columns = np.full(len(words), -1, np.int64)
        if len(self.words):
            places = np.minimum(np.searchsorted(self.words, words), len(self.words) - 1)
            columns = np.where(self.words[places] == words, places, -1)
        has_capital = np.zeros(len(words), np.bool_)
        has_capital[numbers[found.has_capital]] = True
        counts = np.where(columns >= 0, self.sources.counts[columns] if len(self.words) else 0, 0)
        is_known_small = np.where(columns >= 0, self.is_small[columns] if len(self.words) else False, False)
        weights = np.log((self.num_sources + 1) / (counts + 0.5))
        return WeighedWords(rows, words, columns, weights, has_capital & ~is_known_small)

    def _sources_of_words(self) -> sparse.csr_matrix:
        """(V, C) ones."""
        ones = np.ones(len(self.sources.indices))
        return sparse.csr_matrix(
            (ones, self.sources.indices, self.sources.indptr), (len(self.words), self.num_sources)
        )


class WeighedWords(NamedTuple):
    """The w different words of n texts, text by text, and what they weigh."""

    texts: IntArray
    """(w,) number of the text, ascending."""
    words: Int32Array
    """(w,)"""
    columns: IntArray
    """(w,) number of the word in the vocabulary; -1 where it isn't in it."""
    weights: Array
    """(w,)"""
    is_name: BoolArray
    """(w,)"""


def vocabulary_signs(scores: VocabularyScores, first: IntArray, usual_name: float) -> Array:
    """Signs that n texts stand in no known source, (n, 6): for words, then for names,

    - missing: share of the text's weight that its first source doesn't have,
    - standing: how far the first source's share stands out from the others', in standard deviations, negated,
    - unseen: share of the weight that no source has.

    Shares are smoothed by one usual name, half of it shared: a text without names says nothing.

    Args:
        scores: of the n texts.
        first: (n,) source that comes first.
        usual_name: :attr:`Vocabulary.usual_name`.
    """
    columns = []
    for shared, total, unseen in zip(
        scores.shared.numpy().astype(np.float64), scores.total, scores.unseen, strict=True
    ):
        shares = (shared + usual_name / 2) / (total + usual_name)[:, None]  # (n, C)
        of_first = shares[np.arange(len(shares)), first]
        spread = shares.std(axis=1) + MIN_SPREAD
        columns += [
            1 - of_first,
            (shares.mean(axis=1) - of_first) / spread,
            (unseen + usual_name / 2) / (total + usual_name),
        ]
    return np.column_stack(columns)


class _Found(NamedTuple):
    """All m words of some texts, in order."""

    words: Int32Array
    texts: IntArray
    has_capital: BoolArray


def _read(texts: Sequence[str]) -> _Found:
    words = [Words.of(text) for text in texts]
    capitals = [
        text[start].isupper()
        for text, found in zip(texts, words, strict=True)
        for start in found.starts.tolist()
    ]
    return _Found(
        np.concatenate([np.zeros(0, np.int32), *(found.numbers for found in words)]),
        np.repeat(np.arange(len(texts)), [len(found.numbers) for found in words]).astype(np.int64),
        np.array(capitals, np.bool_),
    )
