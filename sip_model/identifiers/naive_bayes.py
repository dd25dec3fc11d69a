"""Naive Bayes over TF-IDF rows: a linear map that is counted, not trained.

Where a source has few samples it is ahead of what is fitted to them (Ng and Jordan 2001), and it errs on
other texts than a trained map, so that both together do better than either.
"""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sip_model.identifiers.positives import Positives

SMOOTHING = 0.1

FloatArray = npt.NDArray[np.float32]


def naive_bayes_weights(rows: sparse.csr_matrix, positives: Positives, num_sources: int) -> FloatArray:
    """Complement naive Bayes (Rennie et al. 2003), (U, C) float32: ``−log θ_cu``, with ``θ_cu`` the smoothed
    share of n-gram u in the texts of all sources but c.

    Args:
        rows: (n, U) float32 TF-IDF rows.
        positives: of the n samples; one of several sources counts for each.
        num_sources: C.
    """
    positions, sources = positives.pairs(np.arange(len(positives)))
    ones = np.ones(len(positions), dtype=np.float32)
    members = sparse.csr_matrix((ones, (positions, sources)), shape=(len(positives), num_sources))  # (n, C)
    own = (rows.T @ members).toarray()  # (U, C)
    others = own.sum(axis=1, keepdims=True) - own
    others += SMOOTHING
    others /= others.sum(axis=0)
    return np.asarray(-np.log(others), dtype=np.float32)
