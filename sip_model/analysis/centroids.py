"""Do sources of one author (or category) lie closer together than others? Asked of their centroids."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.analysis.group_distances import FloatArray, IntArray
from sip_model.analysis.permutation import Null

Array = npt.NDArray[np.float64]

MAX_SOURCES = 4000
"""Centroids compared at most; of more, so many are drawn."""


@dataclass(frozen=True, slots=True)
class CentroidReport:
    """How the distances between centroids go with categories."""

    correlation: float
    """Pearson correlation, over pairs of sources, of the cosine distance of their centroids with whether
    their categories differ (0 or 1): above 0 where sources of one category are closer (Mantel 1967)."""
    correlation_null: Null | None
    """Over categories dealt anew to the sources."""
    nearest_same: float
    """Share of sources whose nearest other centroid is of their own category."""
    nearest_same_chance: float
    """The share expected of categories dealt at random."""
    nearest_same_null: Null | None
    sources: int
    """Sources compared: those whose category has two or more."""
    categories: int
    """Categories of those sources."""
    candidates: int
    """Sources among which the nearest is looked for: all whose category is known."""


def centroids_of(features: FloatArray, groups: IntArray, num_groups: int) -> Array:
    """Mean of the samples of each group, (n, D) -> (G, D); NaN for a group without any."""
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups, minlength=num_groups)
    centroids = np.full((num_groups, features.shape[1]), np.nan)
    starts = (np.cumsum(counts) - counts)[counts > 0]
    totals = np.add.reduceat(features[order].astype(np.float64), starts, axis=0)
    centroids[counts > 0] = totals / counts[counts > 0, None]
    return centroids


def compare_centroids(
    centroids: Array, categories: IntArray, permutations: int, seed: int
) -> CentroidReport | None:
    """Compare centroids (C, D) of C sources, centred, by their categories.

    Args:
        centroids: of the sources.
        categories: (C,) category of each, −1 where it has none.
        permutations: labelings to compare with; 0: none.
        seed: of the permutations, and of the draw where sources are too many.

    Returns:
        None where no category has two sources, or only one category has any.
    """
    generator = np.random.default_rng(seed)
    known = np.flatnonzero((categories >= 0) & np.isfinite(centroids).all(axis=1))
    if len(known) > MAX_SOURCES:
        known = np.sort(generator.permutation(known)[:MAX_SOURCES])
    _, labels, counts = np.unique(categories[known], return_inverse=True, return_counts=True)
    repeated = np.flatnonzero(counts[labels] >= 2)
    num_repeated = int(np.count_nonzero(counts >= 2))
    if num_repeated == 0 or len(counts) < 2:
        return None
    distances = _cosine_distances(centroids[known])  # (K, K)
    nearest, nearest_drawn = _nearest_same(distances, labels, counts, permutations, generator)
    # one category alone has no pair of different ones to compare with
    correlation, drawn = (
        _correlation(distances[np.ix_(repeated, repeated)], labels[repeated], permutations, generator)
        if num_repeated > 1
        else (np.nan, np.empty(0))
    )
    return CentroidReport(
        correlation=correlation,
        correlation_null=Null.of(correlation, drawn) if len(drawn) else None,
        nearest_same=nearest,
        nearest_same_chance=float((counts[labels[repeated]] - 1).mean() / (len(known) - 1)),
        nearest_same_null=Null.of(nearest, nearest_drawn) if permutations else None,
        sources=len(repeated),
        categories=num_repeated,
        candidates=len(known),
    )


def _cosine_distances(vectors: Array) -> Array:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(norms > 0, norms, 1)
    return np.asarray(np.clip(1 - unit @ unit.T, 0, 2))


def _correlation(
    distances: Array, labels: IntArray, permutations: int, generator: np.random.Generator
) -> tuple[float, Array]:
    """The correlation and those of permuted labels, (P,).

    Labels keep their sizes under permutation, so that the correlation depends on nothing but the sum of
    distances over the pairs of one label.
    """
    left, right = np.triu_indices(len(labels), 1)
    pairs = distances[left, right]
    same = labels[left] == labels[right]
    share, spread = same.mean(), pairs.std()
    if spread == 0 or share in (0, 1):
        return np.nan, np.empty(0)
    first, second = left[same], right[same]

    def correlation(order: IntArray) -> float:
        mean_same = distances[order[first], order[second]].mean()
        # cov(d, 1 − same) = share · (mean(d) − mean of d within one label)
        return float(share * (pairs.mean() - mean_same) / (spread * np.sqrt(share * (1 - share))))

    drawn = [correlation(generator.permutation(len(labels))) for _ in range(permutations)]
    return correlation(np.arange(len(labels))), np.array(drawn)


def _nearest_same(
    distances: Array, labels: IntArray, counts: IntArray, permutations: int, generator: np.random.Generator
) -> tuple[float, Array]:
    """The share of sources of repeated labels whose nearest other one has theirs, and those of permuted
    labels, (P,)."""
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    nearest = others.argmin(axis=1)  # (K,)

    def share(labels: IntArray) -> float:
        repeated = counts[labels] >= 2
        return float((labels == labels[nearest])[repeated].mean())

    return share(labels), np.array([share(generator.permutation(labels)) for _ in range(permutations)])
