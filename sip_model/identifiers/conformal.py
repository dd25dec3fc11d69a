"""Sets of sources that hold the right one as often as asked: split conformal prediction.

A set takes in every source whose score is low enough. Scores are of two kinds, and the validation part
decides which one gives the smaller sets: what the probability lacks to 1 (least ambiguous sets, Sadinle et
al. 2019), or what the probabilities of the source and of all more probable ones add up to (adaptive sets,
Romano et al. 2020) with a penalty on low ranks (RAPS, Angelopoulos et al. 2021). Nothing is drawn at random,
so that a text always gets the same set. How low is low enough is read off the calibration part, for groups
of sources that score alike, since ten points of one source guarantee nothing (clustered conformal prediction,
Ding et al. 2023).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.positives import IntArray, Positives

GROUP_SAMPLES = 200
"""Calibration samples per group of sources: its threshold at 0.9 then errs by two percent of coverage."""
PENALTIES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1)
FREE_RANKS = (1, 5, 20)
CHOSEN_AT = 0.9
"""The coverage for which the kind of score is chosen."""

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SetScore:
    """How little a source belongs into a set."""

    kind: Literal["least_ambiguous", "adaptive"]
    per_rank: float = 0.0
    """What the score of an adaptive set grows by for every rank beyond the free ones."""
    free_ranks: int = 0

    def scores(self, probabilities: Array) -> Array:
        """From the probabilities (n, C) to the scores (n, C)."""
        if self.kind == "least_ambiguous":
            return 1 - probabilities
        order = np.argsort(-probabilities, axis=1, kind="stable")
        ranks = np.arange(1, probabilities.shape[1] + 1)
        sums = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
        sums += self.per_rank * np.maximum(0, ranks - self.free_ranks)
        scores = np.empty_like(sums)
        np.put_along_axis(scores, order, sums, axis=1)
        return scores


@dataclass(frozen=True, slots=True, eq=False)
class ConformalSets:
    """Scores of the right sources of the calibration part, by group of sources."""

    score: SetScore
    groups: IntArray
    """(C,) group of each source."""
    scores: Array
    """(m,) of all groups one after the other, ascending within each."""
    edges: IntArray
    """(groups + 1,) where each begins."""

    @classmethod
    def fit(
        cls, validation: tuple[Array, Positives], calibration: tuple[Array, Positives], num_sources: int
    ) -> Self:
        """Choose score and groups on the validation part, read the scores off the calibration part.

        Args:
            validation: (v, C) probabilities that sum to 1, and the right sources.
            calibration: the same of m samples that nothing was chosen on.
            num_sources: C.
        """
        score = _choose_score(*validation)
        groups = _group(
            *_right(score, *validation), num_sources, max(1, len(calibration[1]) // GROUP_SAMPLES)
        )
        scores, sources = _right(score, *calibration)
        order = np.lexsort((scores, groups[sources]))
        counts = np.bincount(groups[sources], minlength=int(groups.max()) + 1)
        return cls(score, groups, scores[order], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    @classmethod
    def from_arrays(cls, score: SetScore, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """What :meth:`arrays` gave."""
        groups, scores, edges = (arrays[f"conformal.{name}"] for name in ("groups", "scores", "edges"))
        return cls(score, groups.astype(np.int64), scores.astype(np.float64), edges.astype(np.int64))

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store beside the kind of score, by name."""
        return {f"conformal.{name}": getattr(self, name) for name in ("groups", "scores", "edges")}

    def sets(self, probabilities: Array, coverage: float) -> BoolArray:
        """Which sources are in the set of each text, (n, C); the most probable one always is.

        Of texts like those of the calibration part, a share of `coverage` or more have a right source in it.

        Args:
            probabilities: (n, C), given that some known source is right: they sum to 1.
            coverage: 0 to 1; where a group has too few samples for it, all of its sources are taken in.
        """
        limits = np.array([self._limit(group, coverage) for group in range(len(self.edges) - 1)])
        is_in = self.score.scores(probabilities) <= limits[self.groups]
        is_in[np.arange(len(probabilities)), probabilities.argmax(axis=1)] = True
        return np.asarray(is_in)

    def _limit(self, group: int, coverage: float) -> float:
        """The smallest score that covers, with the correction for one more sample (Vovk et al. 2005)."""
        scores = self.scores[self.edges[group] : self.edges[group + 1]]
        # without the margin 0.9 * 10 would be a little more than 9
        rank = math.ceil((len(scores) + 1) * coverage - 1e-9)
        if rank > len(scores):
            return math.inf
        return float(scores[rank - 1]) if rank else -math.inf


def _right(score: SetScore, probabilities: Array, positives: Positives) -> tuple[Array, IntArray]:
    """The score of the right source of each sample, and that source; of several the one that comes first."""
    rows, sources = positives.pairs(np.arange(len(positives)))
    scores = score.scores(probabilities)[rows, sources]
    order = np.lexsort((scores, rows))
    firsts = order[np.unique(rows[order], return_index=True)[1]]
    return scores[firsts], sources[firsts]


def _choose_score(probabilities: Array, positives: Positives) -> SetScore:
    """The one with the smallest sets."""

    def size(score: SetScore) -> float:
        limit = np.quantile(_right(score, probabilities, positives)[0], CHOSEN_AT, method="higher")
        return float((score.scores(probabilities) <= limit).sum(axis=1).mean())

    adaptive = [SetScore("adaptive", rate, free) for rate in PENALTIES for free in FREE_RANKS]
    return min([*adaptive, SetScore("least_ambiguous")], key=size)


def _group(scores: Array, sources: IntArray, num_sources: int, num_groups: int) -> IntArray:
    """Groups of sources that score alike, (C,): by their mean scores, about as many samples in each.

    Args:
        scores: (m,) of the right sources of samples.
        sources: (m,) which these are; a source without a sample is like the average.
        num_sources: C.
        num_groups: at most; fewer where there are fewer sources.
    """
    counts = np.bincount(sources, minlength=num_sources)
    sums = np.bincount(sources, weights=scores, minlength=num_sources)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), scores.mean())
    order = np.argsort(means, kind="stable")
    middles = np.cumsum(counts[order]) - counts[order] / 2  # (C,) of each source's samples among all
    groups = np.zeros(num_sources, np.int64)
    groups[order] = np.minimum(middles * num_groups / counts.sum(), num_groups - 1).astype(np.int64)
    return np.asarray(np.unique(groups, return_inverse=True)[1], dtype=np.int64)
