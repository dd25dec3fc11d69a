"""How candidate passages are put in order: what counts how much, learned on the validation part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

SIGNALS = ("features", "words", "shared", "source")
"""Cosine of backbone features; cosine of words; log2(1 + words of the longest shared run); the identifier's
log-probability of the passage's source."""
NUM_SIGNALS = len(SIGNALS)

# Words in a row that make a quotation: by chance hardly anyone writes eight of another's.
QUOTED_WORDS = 8
MIN_QUOTED_WORDS = 3

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ranking:
    """A passage's relevance is the weighted sum of its signals."""

    weights: tuple[float, ...]
    """One for each of `SIGNALS`, none below 0."""

    @classmethod
    def unfitted(cls) -> Self:
        """Every signal counts alike."""
        return cls((1.0,) * NUM_SIGNALS)

    @classmethod
    def fit(cls, signals: Sequence[Array], right: Sequence[BoolArray]) -> Self:
        """Fit on n texts that no passage was cut from.

        Maximised is the probability that a passage drawn by the softmax of the relevances is of a right
        source (neighbourhood components analysis, Goldberger et al. 2004).

        Args:
            signals: of the candidates of each text, n arrays (k_i, 4).
            right: which of them are of a right source, n arrays (k_i,); a text without any tells nothing.
        """
        told = [(s, r) for s, r in zip(signals, right, strict=True) if r.any() and not r.all()]
        if not told:
            return cls.unfitted()
        width = max(len(s) for s, _ in told)
        grid = np.zeros((len(told), width, NUM_SIGNALS))
        is_candidate, is_right = np.zeros((2, len(told), width), np.bool_)
        for row, (values, marks) in enumerate(told):
            grid[row, : len(values)] = values
            is_candidate[row, : len(values)] = True
            is_right[row, : len(values)] = marks

        def loss(weights: Array) -> tuple[float, Array]:
            relevance = grid @ weights  # (n, k)
            every = np.where(is_candidate, relevance, -np.inf)
            good = np.where(is_right, relevance, -np.inf)
            shares = softmax(every, axis=1) - softmax(good, axis=1)  # (n, k)
            # a standard normal prior: next to nothing for a thousand texts, enough to hold a dozen
            value = float((logsumexp(every, axis=1) - logsumexp(good, axis=1)).mean())
            gradient = np.einsum("nk,nks->s", shares, grid) / len(told)
            return value + float(weights @ weights) / (2 * len(told)), gradient + weights / len(told)

        bounds = [(0.0, None)] * NUM_SIGNALS
        found = minimize(loss, np.ones(NUM_SIGNALS), jac=True, method="L-BFGS-B", bounds=bounds)
        return cls(tuple(found.x.tolist()))

    def relevance(self, signals: Array) -> Array:
        """Signals (k, 4) -> (k,)."""
        return np.asarray(signals @ np.array(self.weights))


def quoted_words(shared: IntArray, num_words: int) -> IntArray:
    """Words of the quotation that each passage holds, (k,); 0 where it is none.

    Args:
        shared: (k,) words of the longest run that passage and text share.
        num_words: of the text; all words of a short one are a quotation too.
    """
    needed = min(QUOTED_WORDS, max(MIN_QUOTED_WORDS, num_words))
    return np.where(shared >= needed, shared, 0)


def in_order(quoted: IntArray, relevance: Array) -> IntArray:
    """Candidates, the best first: the longest quotations, then by relevance; (k,) and (k,) -> (k,)."""
    return np.lexsort((-relevance, -quoted))
