"""Do probabilities mean what they say? Reliability by bins, with the bias of small samples taken out."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

NUM_BINS = 15
NUM_SIMULATIONS = 1000
NULL_LEVEL = 0.95
CLASSWISE_BINS = 10

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """n predictions in B bins of equal mass, the least sure first."""

    confidence: Array
    """(B,) mean probability of the predictions."""
    accuracy: Array
    """(B,) share of them that was right."""
    counts: IntArray
    """(B,) predictions."""
    ece: float
    """Expected calibration error: mean |confidence − accuracy| (Naeini et al. 2015, adaptive bins). Biased
    upward, the more the fewer predictions a bin has."""
    ece_debiased: float
    """The same without that bias (Kumar et al. 2019, for the absolute error), not below 0."""
    ece_null: float
    """Mean of `ece` over simulations in which every prediction is right with its very probability."""
    ece_null_95: float
    """95 % quantile of the same: what perfectly calibrated predictions exceed in one case of twenty."""


def reliability(confidence: Array, right: BoolArray, *, seed: int = 0) -> Reliability:
    """Of n predictions.

    Args:
        confidence: (n,) probability of each prediction.
        right: (n,) whether it was right.
        seed: of the simulations.
    """
    order = np.argsort(confidence, kind="stable")
    bins = [part for part in np.array_split(order, NUM_BINS) if len(part)]
    counts = np.array([len(part) for part in bins], dtype=np.int64)
    means = np.array([confidence[part].mean() for part in bins])
    shares = np.array([right[part].mean() for part in bins])
    weights = counts / counts.sum()
    gaps = means - shares
    ece = float(weights @ np.abs(gaps))
    errors = np.sqrt(shares * (1 - shares) / counts)
    null = _null(confidence[order], counts, means, weights, seed)
    return Reliability(
        means,
        shares,
        counts,
        ece,
        # by as much as noise adds to these gaps it has added to them already
        max(0.0, 2 * ece - float(weights @ _folded_mean(gaps, errors))),
        float(null.mean()),
        float(np.quantile(null, NULL_LEVEL)),
    )


def expected_calibration_error(confidence: Array, right: BoolArray) -> float:
    """See :attr:`Reliability.ece`."""
    order = np.argsort(confidence, kind="stable")
    gaps = [
        abs(confidence[part].mean() - right[part].mean()) * len(part)
        for part in np.array_split(order, NUM_BINS)
        if len(part)
    ]
    return float(sum(gaps) / len(confidence))


def _folded_mean(means: Array, deviations: Array) -> Array:
    """Mean of |x| for normal x, elementwise."""
    safe = np.maximum(deviations, 1e-12)
    ratio = means / safe
    spread = safe * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2)
    return np.asarray(spread + means * (1 - 2 * ndtr(-ratio)))


def _null(confidence: Array, counts: IntArray, means: Array, weights: Array, seed: int) -> Array:
    """`ece` of simulated outcomes, (simulations,); `confidence` ascending."""
    generator = np.random.default_rng(seed)
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    found = np.empty(NUM_SIMULATIONS)
    for number in range(NUM_SIMULATIONS):
        right = (generator.random(len(confidence)) < confidence).astype(np.float64)
        found[number] = weights @ np.abs(means - np.add.reduceat(right, firsts) / counts)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class ClasswiseTally:
    """For every source and every tenth of the probability scale: how often it was given, and how often right.

    Small, so that a corpus of any size can be scored part by part.
    """

    counts: IntArray
    """(C, 10) samples whose probability of the source lies in the bin."""
    confidence: Array
    """(C, 10) sum of those probabilities."""
    right: IntArray
    """(C, 10) those of the samples the source is right for."""

    @classmethod
    def of(cls, probabilities: Array, rows: IntArray, sources: IntArray) -> Self:
        """Of distributions (n, C) and the (sample, source) pairs that are right, two arrays (P,)."""
        num_sources = probabilities.shape[1]
        bins = np.minimum((probabilities * CLASSWISE_BINS).astype(np.int64), CLASSWISE_BINS - 1)
        places = bins + CLASSWISE_BINS * np.arange(num_sources)  # (n, C)
        size, shape = CLASSWISE_BINS * num_sources, (num_sources, CLASSWISE_BINS)
        return cls(
            np.bincount(places.ravel(), minlength=size).reshape(shape),
            np.bincount(places.ravel(), weights=probabilities.ravel(), minlength=size)
            .astype(np.float64)
            .reshape(shape),
            np.bincount(places[rows, sources], minlength=size).reshape(shape),
        )

    def __add__(self, other: "ClasswiseTally") -> "ClasswiseTally":
        return ClasswiseTally(
            np.add(self.counts, other.counts),
            np.add(self.confidence, other.confidence),
            np.add(self.right, other.right),
        )

    def ece(self) -> float:
        """Class-wise expected calibration error (Kull et al. 2019): mean over sources of the mean
        |probability − share right|."""
        samples = self.counts.sum(axis=1)  # (C,), all alike
        gaps = np.abs(self.confidence - self.right).sum(axis=1)
        return float((gaps / np.maximum(samples, 1)).mean())
