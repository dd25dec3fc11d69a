"""Training passages that back an answer: found in feature space, by words and word for word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from sip_model.evidence.lexical import LexicalIndex
from sip_model.evidence.passages import Passage, Passages
from sip_model.evidence.ranking import Ranking, in_order, quoted_words
from sip_model.evidence.space import FeatureSpace
from sip_model.evidence.vectors import PassageVectors, largest
from sip_model.evidence.verbatim import VerbatimIndex
from sip_model.evidence.words import Words
from sip_model.identifiers.positives import IntArray, Positives

NEAREST = 64
"""Candidates that each way of looking contributes."""
BEST_SOURCES, NEAREST_PER_SOURCE = 5, 4
"""Of the sources the identifier finds most probable, so many have their nearest passages among the
candidates."""
MAX_FITTED_TEXTS = 1000
TEXTS_AT_ONCE = 32
"""Bounds the (texts, passages) block of cosines."""

FloatArray = npt.NDArray[np.float32]
Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """q texts whose evidence is looked for, and what was read off them."""

    texts: Sequence[str]
    features: FloatArray | None
    """(q, D) as of the passages; None where the passages have none."""
    log_probabilities: npt.NDArray[np.float64]
    """(q, C) log of the identifier's probabilities, given that some known source is right."""
    left_out: Sequence[IntArray] = ()
    """Passages that must not be found for each text, q arrays; none given: none for any."""
    contexts: Sequence[str] = ()
    """What quotations are looked for in, q texts: each with what stands beside it; none given: the texts."""

    def take(self, rows: IntArray) -> "Query":
        """Some of the texts alone."""
        return Query(
            [self.texts[row] for row in rows.tolist()],
            None if self.features is None else self.features[rows],
            self.log_probabilities[rows],
            [self.left_out[row] for row in rows.tolist()] if self.left_out else (),
            [self.contexts[row] for row in rows.tolist()] if self.contexts else (),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """k passages for one text, the best first."""

    passages: IntArray
    """(k,)"""
    signals: npt.NDArray[np.float64]
    """(k, 4), see `SIGNALS`."""
    quoted: IntArray
    """(k,) words of the quotation from the passage, 0 where there is none."""
    relevance: npt.NDArray[np.float64]
    """(k,)"""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPassages:
    """The n passages an index is made of, in the order of their corpus."""

    passages: Sequence[Passage]
    follows: npt.NDArray[np.bool_]
    """(n,) whether a passage goes on where the one before it ends."""
    features: FloatArray | None
    """(n, D) of the backbone; None: only words are compared."""
    positives: Positives
    num_sources: int
    """C"""


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceIndex:
    """All that is needed to find evidence among n passages."""

    positives: Positives
    """Sources of the passages."""
    by_source: Positives
    """Passages of the sources."""
    space: FeatureSpace | None
    vectors: PassageVectors | None
    lexical: LexicalIndex
    verbatim: VerbatimIndex
    passages: Passages
    ranking: Ranking

    @classmethod
    def build(cls, training: TrainingPassages) -> Self:
        """Index passages; the ranking isn't fitted yet."""
        texts = [passage.text for passage in training.passages]
        offsets = np.array([passage.start for passage in training.passages], np.int64)
        space = vectors = None
        if training.features is not None:
            space = FeatureSpace.fit(training.features, training.positives, training.num_sources)
            vectors = PassageVectors.build(space(training.features))
        return cls(
            training.positives,
            _turned(training.positives, training.num_sources),
            space,
            vectors,
            LexicalIndex.build(texts),
            VerbatimIndex.build(texts, offsets, training.follows),
            Passages.build(training.passages),
            Ranking.unfitted(),
        )

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """What :meth:`arrays` gave."""
        positives, by_source = (
            Positives(arrays[f"{name}.indptr"], arrays[f"{name}.indices"])  # type: ignore[arg-type]  # checked by sha256
            for name in ("sources", "by_source")
        )
        has_features = "vectors" in arrays
        return cls(
            positives,
            by_source,
            FeatureSpace.from_arrays(arrays) if has_features else None,
            PassageVectors.from_arrays(arrays) if has_features else None,
            LexicalIndex.from_arrays(arrays, len(positives)),
            VerbatimIndex.from_arrays(arrays),
            Passages.from_arrays(arrays),
            Ranking(tuple(arrays["ranking.weights"].tolist())),
        )

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store, by name."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "sources.indptr": self.positives.indptr,
            "sources.indices": self.positives.indices,
            "by_source.indptr": self.by_source.indptr,
            "by_source.indices": self.by_source.indices,
            "ranking.weights": np.array(self.ranking.weights),
        }
        for part in (self.space, self.vectors, self.lexical, self.verbatim, self.passages):
            if part is not None:
                arrays |= part.arrays()
        return arrays

    def __len__(self) -> int:
        return len(self.positives)

    def with_ranking(self, query: Query, right: Positives) -> "EvidenceIndex":
        """The same, its ranking fitted on texts that no passage was cut from.

        Args:
            query: n texts, of which at most `MAX_FITTED_TEXTS`, evenly spaced, are used.
            right: their sources.
        """
        num_used = min(len(query.texts), MAX_FITTED_TEXTS)
        used = np.linspace(0, len(query.texts) - 1, num_used).round().astype(np.int64)
        found = self.search(query.take(used))
        marks = [
            self.are_of(candidates.passages, _row(right, row))
            for candidates, row in zip(found, used.tolist(), strict=True)
        ]
        return replace(self, ranking=Ranking.fit([candidates.signals for candidates in found], marks))

    def search(self, query: Query) -> list[Candidates]:
        """The candidates of every text in order, over all sources."""
        found: list[Candidates] = []
        for start in range(0, len(query.texts), TEXTS_AT_ONCE):
            rows = np.arange(start, min(start + TEXTS_AT_ONCE, len(query.texts)))
            found += self._search(query.take(rows))
        return found

    def sources_of(self, passage: int) -> IntArray:
        """Numbers of a passage's sources, ascending."""
        return _row(self.positives, passage)

    def are_of(self, passages: IntArray, sources: IntArray) -> npt.NDArray[np.bool_]:
        """Whether each of k passages is of one of some sources, (k,)."""
        rows, theirs = self.positives.pairs(passages)
        marks = np.zeros(len(passages), np.bool_)
        marks[rows[np.isin(theirs, sources)]] = True
        return marks

    def _search(self, query: Query) -> list[Candidates]:
        by_words = self.lexical.cosines(query.texts)  # (q, n)
        vectors = self._placed(query.features)  # (q, d)
        nearest = None if self.vectors is None or vectors is None else self.vectors.nearest(vectors, NEAREST)
        found = []
        for row, text in enumerate(query.contexts or query.texts):
            words, vector = Words.of(text), None if vectors is None else vectors[row]
            chosen = [largest(by_words[row], NEAREST), self._sharing(words)]
            if nearest is not None:
                chosen.append(nearest[row])
            log_probabilities = query.log_probabilities[row]
            for source in largest(log_probabilities, BEST_SOURCES).tolist():
                passages = self._of_source(source)
                nearness = by_words[row, passages] + self._cosines(vector, passages)
                chosen.append(passages[largest(nearness, NEAREST_PER_SOURCE)])
            passages = np.unique(np.concatenate(chosen))
            if query.left_out:
                passages = np.setdiff1d(passages, query.left_out[row])
            found.append(self._in_order(words, passages, vector, by_words[row], log_probabilities))
        return found

    def _placed(self, features: FloatArray | None) -> FloatArray | None:
        """Features (q, D) in feature space, (q, d); None where only words are compared."""
        return None if self.space is None or features is None else self.space(features)

    def _sharing(self, words: Words) -> IntArray:
        """The passages in which the longest shared runs begin and end."""
        runs = self.verbatim.runs(words)
        first, last = runs.places[:NEAREST], (runs.places + runs.lengths - 1)[:NEAREST]
        return self.verbatim.passages_at(np.concatenate([first, last]))

    def _of_source(self, source: int) -> IntArray:
        return _row(self.by_source, source)

    def _cosines(self, vector: FloatArray | None, passages: IntArray) -> FloatArray:
        if self.vectors is None or vector is None:
            return np.zeros(len(passages), np.float32)
        return self.vectors.cosines(vector, passages)

    def _in_order(
        self,
        words: Words,
        passages: IntArray,
        vector: FloatArray | None,
        by_words: FloatArray,
        log_probabilities: npt.NDArray[np.float64],
    ) -> Candidates:
        shared = self.verbatim.longest_shared(words, passages)
        rows, sources = self.positives.pairs(passages)
        best = np.full(len(passages), -np.inf)
        np.maximum.at(best, rows, log_probabilities[sources])
        signals = np.column_stack(
            [self._cosines(vector, passages), by_words[passages], np.log2(1 + shared), best]
        ).astype(np.float64)
        quoted, relevance = quoted_words(shared, len(words.numbers)), self.ranking.relevance(signals)
        order = in_order(quoted, relevance)
        return Candidates(passages[order], signals[order], quoted[order], relevance[order])


def _row(positives: Positives, row: int) -> IntArray:
    start, end = positives.indptr[row : row + 2].tolist()
    return np.asarray(positives.indices[start:end])


def _turned(positives: Positives, num_sources: int) -> Positives:
    """From the sources of passages to the passages of sources."""
    passages, sources = positives.pairs(np.arange(len(positives)))
    counts = np.bincount(sources, minlength=num_sources)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Positives(indptr, passages[np.argsort(sources, kind="stable")])
