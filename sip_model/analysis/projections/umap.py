"""Uniform manifold approximation (McInnes et al. 2018), an extra."""

import warnings

import numpy as np

from sip_model.analysis.projections.base import Array, FittingData, FloatArray, Projection
from sip_model.errors import InvalidInputError

MAX_FITTED = 10_000
"""Training states fitted on at most; of more, so many are drawn."""
NUM_NEIGHBOURS = 15


def fit_umap(data: FittingData) -> Projection:
    """A map that keeps neighbours (by cosine) of the training states together; distances mean little in it.

    Raises:
        InvalidInputError: umap-learn isn't installed.
    """
    try:
        with warnings.catch_warnings():
            # its optional parametric variant asks for another tensor library
            warnings.simplefilter("ignore", ImportWarning)
            from umap import UMAP
    except ImportError as error:
        raise InvalidInputError(
            ("geometry", "projection"),
            "a projection whose library is installed where the worker runs",
            "'umap' without umap-learn",
            "Install the extra `umap`, or choose pca, lda, raw or bottleneck",
        ) from error
    states = data.features
    if len(states) > MAX_FITTED:
        states = states[np.sort(np.random.default_rng(data.seed).permutation(len(states))[:MAX_FITTED])]
    reducer = UMAP(
        n_components=2,
        n_neighbors=min(NUM_NEIGHBOURS, len(states) - 1),
        metric="cosine",
        random_state=data.seed,
        transform_seed=data.seed,
        n_jobs=1,
    )
    reducer.fit(states)

    def apply(features: FloatArray) -> Array:
        return np.asarray(reducer.transform(features), dtype=np.float64)

    return Projection(apply, explained=None)
