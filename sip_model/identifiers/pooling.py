"""How much surer one may be of a source after several windows of a text than after one."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from sip_model.identifiers.positives import IntArray, Positives

USUAL_GROWTH = 0.5
"""Where nothing can be fitted: between windows that say the same (0) and independent ones (1)."""
GROUPS = (2, 4, 8)
"""Windows of the texts that it is fitted on."""

Array = npt.NDArray[np.float64]


def fit_growth(probabilities: Array, positives: Positives) -> float:
    """The exponent g for :func:`sharpened`, 0 to 1, by the likelihood of the right sources.

    Passages of one source that stand one after the other are taken for the windows of a text.

    Args:
        probabilities: (m, C) of passages that nothing was chosen on, given that some known source is right.
        positives: of the m passages, in the order of their documents.
    """
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    means, sizes, sources = [], [], []
    for source, rows in _by_source(positives):
        for size in GROUPS:
            for start in range(0, len(rows) - size + 1, size):
                means.append(logs[rows[start : start + size]].mean(axis=0))
                sizes.append(size)
                sources.append(source)
    if not means:
        return USUAL_GROWTH
    stacked, counts, columns = np.stack(means), np.array(sizes, np.float64), np.array(sources)

    def negative_log_likelihood(growth: float) -> float:
        found = log_softmax(stacked * (counts**growth)[:, None], axis=1)
        return -float(found[np.arange(len(found)), columns].mean())

    return float(minimize_scalar(negative_log_likelihood, bounds=(0, 1), method="bounded").x)


def sharpened(probabilities: Array, num_windows: IntArray, growth: float) -> Array:
    """From the distribution that the mean log-odds of n windows give to that of their text, ``p ** n**g``.

    Args:
        probabilities: (q, C), given that some known source is right.
        num_windows: (q,) n of each text; where it is 1, nothing changes.
        growth: g.
    """
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    # beyond what the exponent was fitted on nothing is known: more windows then make no surer
    powers = np.minimum(num_windows, max(GROUPS)).astype(np.float64) ** growth
    found = np.exp(log_softmax(logs * powers[:, None], axis=1))
    return np.asarray(np.where(num_windows[:, None] > 1, found, probabilities))


def _by_source(positives: Positives) -> Iterator[tuple[int, IntArray]]:
    """The rows of each source that are of no other one."""
    alone = np.flatnonzero(positives.counts == 1)
    sources = positives.indices[positives.indptr[alone]]
    for source in np.unique(sources).tolist():
        yield source, alone[sources == source]
