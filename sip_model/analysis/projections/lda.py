"""Linear discriminants."""

import numpy as np
from scipy import linalg

from sip_model.analysis.projections.base import Array, FittingData, FloatArray, IntArray, Projection

SHRINKAGE = 0.1
"""Of the covariance within classes: a panel has fewer training chunks than the states have dimensions."""


def fit_lda(data: FittingData) -> Projection:
    """The two directions in which the classes differ most against the scatter within them.

    Two classes differ in one direction alone. The states are first turned into the space that the training
    states span, exactly, since no discriminant leaves it.
    """
    states = data.features.astype(np.float64)  # (m, D)
    mean = states.mean(axis=0)
    span = _span(states - mean)  # (D, r)
    axes, shares = discriminants((states - mean) @ span, data.labels, data.num_classes, SHRINKAGE)
    axes = span @ axes  # (D, 2)

    def apply(features: FloatArray) -> Array:
        return np.asarray((features - mean) @ axes)

    return Projection(apply, shares)


def discriminants(
    states: Array, labels: IntArray, num_classes: int, shrinkage: float
) -> tuple[Array, tuple[float, float]]:
    """Axes (r, 2) of the two largest ratios of variance between classes to variance within, best first, and
    each one's share of all such ratios; along an axis the (shrunk) variance within is 1.

    Args:
        states: (m, r), centred.
        labels: (m,) class of each, 0 to C − 1, every class with a member.
        num_classes: C.
        shrinkage: s in ``Σ_w = (1 − s) S_w + s · tr(S_w)/r · I``.
    """
    counts = np.bincount(labels, minlength=num_classes)
    means = np.zeros((num_classes, states.shape[1]))
    np.add.at(means, labels, states)
    means /= counts[:, None]  # (C, r)
    residuals = states - means[labels]
    within = residuals.T @ residuals / len(states)  # (r, r)
    scale = max(float(np.trace(within)) / len(within), 1e-12)  # of classes without scatter
    within = (1 - shrinkage) * within + shrinkage * scale * np.eye(len(within))
    between = (means * counts[:, None]).T @ means / len(states)  # (r, r)
    ratios, axes = linalg.eigh(between, within)  # ascending
    ratios, axes = np.maximum(ratios[::-1], 0.0), axes[:, ::-1]
    if len(ratios) == 1:  # all states on a line
        ratios, axes = np.append(ratios, 0.0), np.pad(axes, [(0, 0), (0, 1)])
    axes = axes[:, :2] * np.where(axes[np.abs(axes[:, :2]).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    total = float(ratios.sum()) or 1.0
    return axes, (float(ratios[0]) / total, float(ratios[1]) / total)


def _span(states: Array) -> Array:
    """Orthonormal axes (D, r) of the space that centred states (m, D) span; r is 1 at least."""
    _, sizes, axes = np.linalg.svd(states, full_matrices=False)
    rank = int(np.count_nonzero(sizes > sizes[0] * max(states.shape) * np.finfo(np.float64).eps))
    return np.asarray(axes[: max(rank, 1)].T)
