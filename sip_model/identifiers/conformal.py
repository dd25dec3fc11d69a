"""Sets of sources that hold the right one as often as asked: split conformal prediction.

A set takes in sources from the most probable one down until their probabilities add up far enough (adaptive
prediction sets, Romano et al. 2020), with a penalty on long ones (RAPS, Angelopoulos et al. 2021), without
randomisation, so that a text always gets the same set. How far is far enough is read off the calibration
part, for groups of sources that are alike in this, since ten points of one source guarantee nothing
(clustered conformal prediction, Ding et al. 2023).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from sip_model.identifiers.positives import IntArray, Positives

CLUSTER_SAMPLES = 200
"""Calibration samples per group of sources: its threshold at 0.9 then errs by two percent of coverage."""
QUANTILES = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Of a source's scores, by which sources are alike or not (Ding et al. 2023)."""
PENALTIES = (0.0, 0.001, 0.01, 0.1)
FREE_RANKS = (1, 2, 5, 10)
CHOSEN_AT = 0.9
"""The coverage for which penalty and free ranks are chosen."""

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Penalty:
    """What the score of a source grows by for every rank beyond the first ones."""

    per_rank: float
    free_ranks: int

    def scores(self, probabilities: Array) -> Array:
        """From the probabilities (n, C) to the scores (n, C): what the probabilities of a source and of all
        more probable ones add up to, and the penalty."""
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

    penalty: Penalty
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
        """Choose penalty and groups on the validation part, read the scores off the calibration part.

        Args:
            validation: (v, C) probabilities that sum to 1, and the right sources.
            calibration: the same of m samples that nothing was chosen on.
            num_sources: C.
        """
        penalty = _choose_penalty(*validation)
        groups = _group(*_right(penalty, *validation), num_sources, len(calibration[1]) // CLUSTER_SAMPLES)
        scores, sources = _right(penalty, *calibration)
        order = np.lexsort((scores, groups[sources]))
        counts = np.bincount(groups[sources], minlength=int(groups.max()) + 1)
        return cls(penalty, groups, scores[order], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    @classmethod
    def from_arrays(cls, penalty: Penalty, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """What :meth:`arrays` gave."""
        groups, scores, edges = (arrays[f"conformal.{name}"] for name in ("groups", "scores", "edges"))
        return cls(penalty, groups.astype(np.int64), scores.astype(np.float64), edges.astype(np.int64))

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store beside the penalty, by name."""
        return {f"conformal.{name}": getattr(self, name) for name in ("groups", "scores", "edges")}

    def sets(self, probabilities: Array, coverage: float) -> BoolArray:
        """Which sources are in the set of each text, (n, C); the most probable one always is.

        Of texts like those of the calibration part, a share of `coverage` or more have a right source in it.

        Args:
            probabilities: (n, C), given that some known source is right: they sum to 1.
            coverage: 0 to 1; where a group has too few samples for it, all of its sources are taken in.
        """
        limits = np.array([self._limit(group, coverage) for group in range(len(self.edges) - 1)])
        is_in = self.penalty.scores(probabilities) <= limits[self.groups]
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


def _right(penalty: Penalty, probabilities: Array, positives: Positives) -> tuple[Array, IntArray]:
    """The score of the right source of each sample, and that source; of several the one that comes first."""
    rows, sources = positives.pairs(np.arange(len(positives)))
    scores = penalty.scores(probabilities)[rows, sources]
    order = np.lexsort((scores, rows))
    firsts = order[np.unique(rows[order], return_index=True)[1]]
    return scores[firsts], sources[firsts]


def _choose_penalty(probabilities: Array, positives: Positives) -> Penalty:
    """The one with the smallest sets."""

    def size(penalty: Penalty) -> float:
        limit = np.quantile(_right(penalty, probabilities, positives)[0], CHOSEN_AT, method="higher")
        return float((penalty.scores(probabilities) <= limit).sum(axis=1).mean())

    return min((Penalty(rate, free) for rate in PENALTIES for free in FREE_RANKS), key=size)


def _group(scores: Array, sources: IntArray, num_sources: int, max_groups: int) -> IntArray:
    """Groups of sources by the quantiles of their scores, (C,); one without a score is like the average."""
    profiles = np.tile(np.quantile(scores, QUANTILES), (num_sources, 1))  # (C, 5)
    counts = np.bincount(sources, minlength=num_sources)
    for source in np.flatnonzero(counts).tolist():
        profiles[source] = np.quantile(scores[sources == source], QUANTILES)
    num_groups = min(max_groups, len(np.unique(profiles, axis=0)))
    if num_groups < 2:
        return np.zeros(num_sources, np.int64)
    clusters = KMeans(num_groups, n_init=10, random_state=0)
    labels = clusters.fit_predict(profiles, sample_weight=np.sqrt(np.maximum(counts, 1)))
    return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int64)
