"""The first two of the backbone's own dimensions."""

import numpy as np

from sip_model.analysis.projections.base import Array, FittingData, FloatArray, Projection


def fit_raw(_data: FittingData) -> Projection:
    """Nothing is fitted: dimensions 0 and 1 of the hidden states as they are."""
    return Projection(_first_two, explained=None)


def _first_two(features: FloatArray) -> Array:
    return np.asarray(features[:, :2], dtype=np.float64)
