"""Whether a text stands in any known source: a small model over several signs that it doesn't."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, logsumexp
from sklearn.linear_model import LogisticRegression

DEFAULT_UNKNOWN_PRIOR = 0.05
FALSE_REJECTIONS = 0.05
"""Share of texts of known sources that the operating point takes for unknown."""
MIN_SPREAD = 1e-6
"""Standard deviation of a sign below which it is constant."""
PRECISION = 1.0
"""Of the normal prior that holds the weights: a unit for each standard deviation of a sign."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownModel:
    """``Σ_s w_s (x_s − m_s) / d_s + b`` over S signs: the log-likelihood ratio of unknown to known."""

    signs: tuple[str, ...]
    """S names."""
    means: tuple[float, ...]
    """m, over texts of known sources that nothing was learned from."""
    spreads: tuple[float, ...]
    """d, their standard deviations."""
    weights: tuple[float, ...]
    bias: float
    threshold: float
    """The operating point: a text is unknown from this probability on, at the default prior."""

    @classmethod
    def fit(cls, signs: Sequence[str], known: Array, unknown: Sequence[Array]) -> Self:
        """Logistic regression of unknown against known texts, both alike likely, with a normal prior.

        Args:
            signs: S names.
            known: (n, S) of texts of known sources.
            unknown: groups of texts of other sources, (m, S) each with m >= 1; every group counts alike.
        """
        means, spreads = known.mean(axis=0), known.std(axis=0)
        spreads = np.where(spreads > MIN_SPREAD, spreads, 1.0)
        rows = (np.concatenate([known, *unknown]) - means) / spreads
        labels = np.repeat([0, 1], [len(known), sum(map(len, unknown))])
        shares = [np.full(len(known), 1 / len(known))]
        shares += [np.full(len(group), 1 / (len(unknown) * len(group))) for group in unknown]
        # as many samples in all as there are known ones: what the prior is weighed against
        sample_weights = np.concatenate(shares) * len(known) / 2
        fitted = LogisticRegression(C=1 / PRECISION, max_iter=1000)
        fitted.fit(rows, labels, sample_weight=sample_weights)
        return cls(
            signs=tuple(signs),
            means=tuple(means.tolist()),
            spreads=tuple(spreads.tolist()),
            weights=tuple(fitted.coef_[0].tolist()),
            bias=float(fitted.intercept_[0]),
            threshold=1.0,
        ).operating_at(known)

    @classmethod
    def link(cls, signs: Sequence[str], known: Array) -> Self:
        """The link of one-versus-all logits: the odds of "none" against those normal for known texts, whose
        mean is 1 as a likelihood ratio's is. For where no unknown text is at hand to learn from.

        Args:
            signs: S names, ``energy`` first.
            known: (n, S) of texts of known sources.
        """
        num_signs = len(signs)
        energy = known[:, 0]
        return cls(
            signs=tuple(signs),
            means=(0.0,) * num_signs,
            spreads=(1.0,) * num_signs,
            weights=(1.0,) + (0.0,) * (num_signs - 1),
            bias=-float(logsumexp(energy) - math.log(len(energy))),
            threshold=1.0,
        ).operating_at(known)

    def moved_to(self, known: Array) -> "UnknownModel":
        """The same weights for another identifier of the same members: each sign is measured against what is
        normal for its own known texts (n, S), and the operating point set on them."""
        means, spreads = known.mean(axis=0), known.std(axis=0)
        spreads = np.where(spreads > MIN_SPREAD, spreads, 1.0)
        moved = replace(self, means=tuple(means.tolist()), spreads=tuple(spreads.tolist()))
        return moved.operating_at(known)

    def operating_at(self, known: Array, false_rejections: float = FALSE_REJECTIONS) -> Self:
        """Set the threshold so that at most this share of known texts is expected to be rejected.

        The split-conformal quantile: the ⌈(n + 1)(1 − share)⌉-th of n probabilities, 1 where n is too small
        for one.
        """
        probabilities = np.sort(self.probability(known))
        rank = math.ceil((len(probabilities) + 1) * (1 - false_rejections))
        highest = float(probabilities[rank - 1]) if rank <= len(probabilities) else 1.0
        return replace(self, threshold=min(float(np.nextafter(highest, 2.0)), 1.0))

    def log_ratio(self, signs: Array) -> Array:
        """Signs (n, S) -> log-likelihood ratio of unknown to known, (n,)."""
        standard = (signs - np.array(self.means)) / np.array(self.spreads)
        return np.asarray((standard * np.array(self.weights)).sum(axis=1) + self.bias)

    def probability(self, signs: Array, prior: float = DEFAULT_UNKNOWN_PRIOR) -> Array:
        """Probability that no known source is right, (n, S) -> (n,).

        Args:
            signs: (n, S).
            prior: share of texts from no known source, 0 to 1.
        """
        with np.errstate(divide="ignore"):
            return np.asarray(expit(self.log_ratio(signs) + logit(prior)), dtype=np.float64)
