"""From evidence by place in a text to the source of each place: a hidden Markov model along the text.

A text is a row of units: tokens, or sentences. What an identifier says of each alone is noisy; the source of
a unit is taken to be that of the one before it, unless the evidence outweighs what a change costs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

INSIDE_SENTENCE = 2.0
"""A change of source inside a sentence costs so many times what one between sentences does."""
INSIDE_WORD = 16.0
"""The same inside a word."""

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class UnitEvidence:
    """What an identifier makes of the m units of a text, m >= 1."""

    log_odds: Array
    """(m, C), a row weighted by how much its unit tells; only the differences of sources in a row count."""
    costs: Array
    """(m,) of a change of source at the unit's beginning: 1 where a sentence begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothing:
    """How evidence adds up along a text; fitted on passages that nothing was learned from."""

    penalty: float
    """Log-odds by which another source must be ahead, over all its units, where a sentence begins."""
    scale: float
    """From log-odds of an identifier to log-likelihoods: neighbouring units repeat each other."""
    max_unknown: float
    """A span is of no known source from this probability of unknown on, at the default prior."""

    def path(self, evidence: UnitEvidence) -> IntArray:
        """The most probable source of every unit, (m,): the Viterbi path."""
        log_odds, penalties = evidence.log_odds, self.penalty * evidence.costs
        num_units, num_sources = log_odds.shape
        stay = np.arange(num_sources)
        came_from = np.empty((num_units, num_sources), np.int32)
        scores = log_odds[0].copy()  # (C,)
        for unit in range(1, num_units):
            best = int(scores.argmax())
            changed = scores[best] - penalties[unit]
            came_from[unit] = np.where(scores >= changed, stay, best)
            scores = np.maximum(scores, changed) + log_odds[unit]
        path = np.empty(num_units, np.int64)
        path[-1] = scores.argmax()
        for unit in range(num_units - 1, 0, -1):
            path[unit - 1] = came_from[unit, path[unit]]
        return path

    def posterior(self, evidence: UnitEvidence) -> Array:
        """Probability of every source at every unit given the whole text, (m, C): forward-backward."""
        log_odds = self.scale * evidence.log_odds
        penalties = self.scale * self.penalty * evidence.costs
        forward, backward = np.empty_like(log_odds), np.zeros_like(log_odds)
        forward[0] = log_odds[0]
        for unit in range(1, len(log_odds)):
            forward[unit] = _or_changed(forward[unit - 1], penalties[unit]) + log_odds[unit]
        for unit in range(len(log_odds) - 2, -1, -1):
            backward[unit] = _or_changed(backward[unit + 1] + log_odds[unit + 1], penalties[unit + 1])
        return np.asarray(softmax(forward + backward, axis=1))


def _or_changed(scores: Array, penalty: float) -> Array:
    """Log-scores (C,) after a step in which the source may have changed to any."""
    # scipy's logsumexp takes ten times as long over so few numbers
    highest = scores.max()
    total = highest + np.log(np.exp(scores - highest).sum())
    return np.asarray(np.logaddexp(scores, total - penalty))
