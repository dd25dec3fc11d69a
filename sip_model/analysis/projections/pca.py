"""Principal components."""

import numpy as np
import numpy.typing as npt
from scipy import linalg

from sip_model.analysis.projections.base import Array, FittingData, FloatArray, Projection


def fit_pca(data: FittingData) -> Projection:
    """The two directions of largest variance of the training states (m, D), scikit-learn's up to sign.

    Only the two are computed, from the (D, D) covariance or, where there are fewer samples, from the (m, m)
    products. Each points to where its largest weight is positive.
    """
    states = data.features.astype(np.float64)
    mean = states.mean(axis=0)
    states -= mean
    num_samples, dimension = states.shape
    if dimension <= num_samples:
        variances, axes = _largest(states.T @ states)  # (2,), (D, 2)
    else:
        variances, weights = _largest(states @ states.T)  # (2,), (m, 2)
        axes = states.T @ weights  # (D, 2)
        axes /= np.maximum(np.linalg.norm(axes, axis=0), np.finfo(np.float64).tiny)
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    total = float(np.square(states).sum())
    first, second = (variances / total if total > 0 else np.zeros(2)).tolist()

    def apply(features: FloatArray) -> Array:
        return np.asarray((features - mean) @ axes)

    return Projection(apply, (first, second))


def _largest(
    products: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The two largest eigenvalues of a symmetric matrix (k, k), k ≥ 2, and their vectors, (2,) and (k, 2)."""
    size = len(products)
    values, vectors = linalg.eigh(products, subset_by_index=[size - 2, size - 1])
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]
