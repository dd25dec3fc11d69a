"""From logits to a calibrated distribution over sources and "unknown"."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, logsumexp

from sip_model.identifiers.positives import Positives

DEFAULT_UNKNOWN_PRIOR = 0.05

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Two numbers fitted on the calibration part."""

    temperature: float
    """T: given that some known source is right, source c is with probability ``softmax(z / T)_c``."""
    none_log_odds: float
    """Log of the mean of ``1 / Σ_c e^{z_c}``, the odds of "none" under the link of one-versus-all logits,
    over texts of known sources: what is normal for them."""

    @classmethod
    def fit(cls, logits: Array, positives: Positives) -> Self:
        """Fit on logits (n, C) of samples used for nothing else."""
        rows, columns = positives.pairs(np.arange(len(positives)))

        def negative_log_likelihood(log_temperature: float) -> float:
            scaled = logits / math.exp(log_temperature)
            log_probabilities = scaled - logsumexp(scaled, axis=1, keepdims=True)
            per_sample = np.full(len(positives), -np.inf)
            np.logaddexp.at(per_sample, rows, log_probabilities[rows, columns])
            return -float(per_sample.mean())

        found = minimize_scalar(
            negative_log_likelihood, bounds=(math.log(0.05), math.log(20)), method="bounded"
        )
        return cls(math.exp(float(found.x)), _log_mean(-logsumexp(logits, axis=1)))

    def unknown(self, logits: Array, prior: float = DEFAULT_UNKNOWN_PRIOR) -> Array:
        """Probability that no known source is right, (n, C) -> (n,).

        The odds of "none" against those normal for known texts are taken as the likelihood ratio of unknown
        to known (its mean over known texts is 1, as a likelihood ratio's is) and weighed with the prior.

        Args:
            logits: (n, C).
            prior: share of texts from no known source, 0 to 1.
        """
        ratio = -logsumexp(logits, axis=1) - self.none_log_odds  # (n,)
        with np.errstate(divide="ignore"):
            return np.asarray(expit(ratio + logit(prior)), dtype=np.float64)

    def distribution(self, logits: Array, prior: float = DEFAULT_UNKNOWN_PRIOR) -> tuple[Array, Array]:
        """Logits (n, C) -> probabilities (n, C) and unknown (n,); a row of both sums to 1."""
        scaled = logits / self.temperature
        known = np.exp(scaled - logsumexp(scaled, axis=1, keepdims=True))
        unknown = self.unknown(logits, prior)
        return known * (1 - unknown)[:, None], unknown


def _log_mean(log_values: Array) -> float:
    return float(logsumexp(log_values) - math.log(len(log_values)))
