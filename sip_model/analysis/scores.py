"""Scores of source distributions on a part of the samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Self

import numpy as np
import numpy.typing as npt

from sip_model.analysis.reliability import ClasswiseTally, Reliability, reliability
from sip_model.identifiers.positives import Positives

TOP_K = 5
MOST_CONFUSIONS = 2000

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SourceScore:
    """How one source fares; shares are NaN where their denominator is 0."""

    source: str
    samples: int
    """Samples it is right for."""
    predicted: int
    """Samples it came first for."""
    precision: float
    recall: float
    f1: float
    confused_with: str | None
    """The source that most often came first in its place."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """A source that is taken for another one."""

    source: str
    """The right one."""
    predicted: str
    """The one that came first."""
    samples: int


def ranked(probabilities: Array, k: int) -> IntArray:
    """The k most probable sources, best first, (n, C) -> (n, min(k, C)); ties go to the lower number."""
    return np.asarray(np.argsort(-probabilities, axis=1, kind="stable")[:, :k], dtype=np.int64)


def given_known(probabilities: Array, unknown: Array) -> Array:
    """Distributions over the known sources alone, (n, C): what is said of a text that stands in one of them.

    Where all texts do, as in a test part, `unknown` is wrong by what its prior is: 5 % of texts that never
    come.

    Args:
        probabilities: (n, C); with `unknown` a row sums to 1.
        unknown: (n,).
    """
    return np.asarray(probabilities / np.maximum(1 - unknown, np.finfo(np.float64).tiny)[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What scores need to know of n distributions; small, so that a corpus of any size can be scored."""

    best: IntArray
    """(n, 5) the most probable sources, best first."""
    confidence: Array
    """(n,) probability of the first one."""
    mass: Array
    """(n,) probability of the right sources together."""
    positives: Positives
    squares: Array
    """(n,) squared error of the whole distribution, summed over sources."""
    tally: ClasswiseTally
    """Over the samples that have a right source, also where only some of them are taken."""

    @classmethod
    def of(cls, probabilities: Array, positives: Positives) -> Self:
        """Of distributions (n, C); rows may sum to less than 1."""
        best = ranked(probabilities, TOP_K)
        rows, sources = positives.pairs(np.arange(len(positives)))
        mass = np.zeros(len(positives))
        np.add.at(mass, rows, probabilities[rows, sources])
        # Σ_c (p_c − y_c)² = Σ_c p_c² − 2 Σ_right p_c + |right|
        squares = np.square(probabilities).sum(axis=1) - 2 * mass + positives.counts
        confidence = np.take_along_axis(probabilities, best[:, :1], axis=1)[:, 0]
        answerable = np.flatnonzero(positives.counts)
        tally = ClasswiseTally.of(probabilities[answerable], *positives.pairs(answerable))
        return cls(best, confidence, mass, positives, squares, tally)

    @classmethod
    def joined(cls, parts: Sequence["Outcomes"]) -> Self:
        """Those of all parts, in order."""
        return cls(
            np.concatenate([part.best for part in parts]),
            np.concatenate([part.confidence for part in parts]),
            np.concatenate([part.mass for part in parts]),
            Positives.joined([part.positives for part in parts]),
            np.concatenate([part.squares for part in parts]),
            reduce(add, [part.tally for part in parts]),
        )

    def take(self, rows: IntArray) -> "Outcomes":
        """Those of some samples alone."""
        return Outcomes(
            self.best[rows],
            self.confidence[rows],
            self.mass[rows],
            self.positives.take(rows),
            self.squares[rows],
            self.tally,
        )

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """(n,) whether the first source is a right one."""
        return self.positives.mark(self.best[:, :1])[:, 0]

    def reliability(self) -> Reliability:
        """Of the first source's probability."""
        return reliability(self.confidence, self.right)


def score_outcomes(outcomes: Outcomes, num_sources: int) -> dict[str, float]:
    """Scores over samples that have a right source.

    Args:
        outcomes: of n samples, each with at least one right source, given that there is one (`given_known`).
        num_sources: C.

    Returns:
        accuracy: share with a right source first.
        top5_accuracy: share with a right source among the first five.
        macro_f1: mean F1 over the sources that are right for some sample.
        ece, ece_debiased, ece_null, ece_null_95: calibration of the first source's probability, see
            :class:`sip_model.analysis.reliability.Reliability`.
        classwise_ece: calibration of every source's probability.
        nll: mean negative log-probability of the right sources together, in nats.
        brier: mean squared error of the first source's probability.
        brier_all: mean squared error of the whole distribution, summed over sources.
    """
    right = outcomes.positives.mark(outcomes.best)  # (n, 5)
    found = outcomes.reliability()
    return {
        "accuracy": float(right[:, 0].mean()),
        "top5_accuracy": float(right.any(axis=1).mean()),
        "macro_f1": macro_f1(outcomes.best[:, 0], outcomes.positives, num_sources),
        "ece": found.ece,
        "ece_debiased": found.ece_debiased,
        "ece_null": found.ece_null,
        "ece_null_95": found.ece_null_95,
        "classwise_ece": outcomes.tally.ece(),
        "nll": float(-np.log(np.maximum(outcomes.mass, np.finfo(np.float64).tiny)).mean()),
        "brier": float(np.mean((outcomes.confidence - right[:, 0]) ** 2)),
        "brier_all": float(outcomes.squares.mean()),
    }


def macro_f1(predicted: IntArray, positives: Positives, num_sources: int) -> float:
    """Mean F1 over the sources that are right for some sample; see :func:`_counts`."""
    hits, misses, false_alarms = _counts(predicted, positives, num_sources)
    present = hits + misses > 0
    f1 = 2 * hits / np.maximum(2 * hits + misses + false_alarms, 1)
    return float(f1[present].mean())


def score_sources(predicted: IntArray, positives: Positives, sources: tuple[str, ...]) -> list[SourceScore]:
    """One row per source that is right for some sample, in the order of `sources`.

    Args:
        predicted: (n,) the source that came first.
        positives: of the n samples.
        sources: C names.
    """
    hits, misses, false_alarms = _counts(predicted, positives, len(sources))
    confused = _most_confused(predicted, positives, len(sources))
    table = []
    for number in np.flatnonzero(hits + misses > 0).tolist():
        hit, miss, alarm = int(hits[number]), int(misses[number]), int(false_alarms[number])
        table.append(
            SourceScore(
                source=sources[number],
                samples=hit + miss,
                predicted=hit + alarm,
                precision=hit / (hit + alarm) if hit + alarm else float("nan"),
                recall=hit / (hit + miss),
                f1=2 * hit / (2 * hit + miss + alarm),
                confused_with=sources[confused[number]] if number in confused else None,
            )
        )
    return table


def count_confusions(
    predicted: IntArray, positives: Positives, sources: tuple[str, ...], most: int = MOST_CONFUSIONS
) -> list[Confusion]:
    """Which sources are taken for which, the most frequent first; arguments as in `score_sources`."""
    missed, instead, counts = _mistakes(predicted, positives, len(sources))
    order = np.argsort(-counts, kind="stable")[:most]
    return [Confusion(sources[missed[i]], sources[instead[i]], int(counts[i])) for i in order.tolist()]


def _counts(
    predicted: IntArray, positives: Positives, num_sources: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Hits, misses and false alarms of each source, three arrays (C,).

    Of several right sources only the one that came first is a hit; the others are no misses then.
    """
    right = positives.mark(predicted[:, None])[:, 0]
    hits = np.bincount(predicted[right], minlength=num_sources)
    false_alarms = np.bincount(predicted[~right], minlength=num_sources)
    _, missed = positives.pairs(np.flatnonzero(~right))
    return hits, np.bincount(missed, minlength=num_sources), false_alarms


def _most_confused(predicted: IntArray, positives: Positives, num_sources: int) -> dict[int, int]:
    missed, instead, counts = _mistakes(predicted, positives, num_sources)
    order = np.argsort(counts, kind="stable")  # the last entry of a source is its most frequent one
    return {int(missed[i]): int(instead[i]) for i in order.tolist()}


def _mistakes(
    predicted: IntArray, positives: Positives, num_sources: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs of a right source and the wrong one that came first, ascending, and how often: three arrays."""
    wrong = np.flatnonzero(~positives.mark(predicted[:, None])[:, 0])
    positions, missed = positives.pairs(wrong)
    pairs, counts = np.unique(missed * num_sources + predicted[wrong][positions], return_counts=True)
    return pairs // num_sources, pairs % num_sources, counts
