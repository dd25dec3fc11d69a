"""Linear discriminants."""

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from sip_model.analysis.projections.base import Array, FittingData, FloatArray, Projection

SHRINKAGE = 0.1
"""Of the covariance within classes: a panel has fewer training chunks than the states have dimensions."""


def fit_lda(data: FittingData) -> Projection:
    """The two directions in which the classes differ most against the scatter within them.

    Two classes differ in one direction alone; the second coordinate is 0 then. The states are first turned
    into the space that the training states span, exactly, since no discriminant leaves it.
    """
    states = data.features.astype(np.float64)  # (m, D)
    mean = states.mean(axis=0)
    axes = _span(states - mean)  # (D, r)
    discriminants = LinearDiscriminantAnalysis(solver="eigen", shrinkage=SHRINKAGE)
    discriminants.fit((states - mean) @ axes, data.labels)
    shares = [*discriminants.explained_variance_ratio_.tolist(), 0.0]

    def apply(features: FloatArray) -> Array:
        found = discriminants.transform((features - mean) @ axes)[:, :2]
        return np.pad(found, [(0, 0), (0, 2 - found.shape[1])])

    return Projection(apply, (shares[0], shares[1]))


def _span(states: Array) -> Array:
    """Orthonormal axes (D, r) of the space that centred states (m, D) span; r is 1 at least."""
    _, sizes, axes = np.linalg.svd(states, full_matrices=False)
    rank = int(np.count_nonzero(sizes > sizes[0] * max(states.shape) * np.finfo(np.float64).eps))
    return np.asarray(axes[: max(rank, 1)].T)
