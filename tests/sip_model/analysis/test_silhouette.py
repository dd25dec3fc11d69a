"""Silhouettes against scikit-learn's, and what random labelings give."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import silhouette_samples as expected_samples
from sklearn.metrics import silhouette_score as expected_score

from sip_model.analysis.group_distances import (
    BLOCK_ROWS,
    CosineDistances,
    EuclideanDistances,
    GroupDistances,
    IntArray,
)
from sip_model.analysis.permutation import Null
from sip_model.analysis.silhouette import (
    merged_sums,
    silhouette_samples,
    silhouette_score,
    silhouettes_of_permuted_groups,
    silhouettes_of_permuted_samples,
)

Features = npt.NDArray[np.float32]
DISTANCES: dict[str, Callable[[Features], GroupDistances]] = {
    "cosine": CosineDistances,
    "euclidean": EuclideanDistances,
}


def make_clusters(
    num_groups: int, sizes: IntArray, dimension: int, spread: float, seed: int
) -> tuple[Features, IntArray]:
    """Gaussian groups whose centres lie `spread` apart, shuffled, far from the origin in one dimension."""
    generator = np.random.default_rng(seed)
    groups = generator.permutation(np.repeat(np.arange(num_groups), sizes))
    centres = generator.normal(0, spread, (num_groups, dimension))
    features = centres[groups] + generator.normal(0, 1, (len(groups), dimension))
    features[:, 0] += 50  # hidden states have such dimensions
    return features.astype(np.float32), groups


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize(
    ("sizes", "dimension", "spread"),
    [
        ([30] * 20, 48, 0.5),
        ([BLOCK_ROWS + 60, 3, 100, BLOCK_ROWS], 5, 2.0),
        ([1, 2, 40, 1], 16, 1.0),
        ([300, 300], 2, 0.0),
    ],
)
def test_scores_are_those_of_scikit_learn(
    metric: str, sizes: list[int], dimension: int, spread: float
) -> None:
    features, groups = make_clusters(len(sizes), np.array(sizes), dimension, spread, seed=1)
    sums = DISTANCES[metric](features).sums(groups, len(sizes))
    wide = features.astype(np.float64)
    np.testing.assert_allclose(
        silhouette_samples(sums, groups).numpy(), expected_samples(wide, groups, metric=metric), atol=1e-9
    )
    # of single precision scikit-learn computes cosines in single precision
    expected = expected_score(features.astype(np.float64), groups, metric=metric)
    assert silhouette_score(sums, groups) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", DISTANCES)
def test_equal_samples_and_vectors_of_zeros_score_as_in_scikit_learn(metric: str) -> None:
    features = np.array([[0, 0], [0, 0], [1, 0], [1, 0], [2, 0], [0, 3], [0, 3]], dtype=np.float32)
    for groups in ([0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1, 2]):
        labels = np.array(groups)
        sums = DISTANCES[metric](features).sums(labels, 3)
        np.testing.assert_allclose(
            silhouette_samples(sums, labels).numpy(),
            expected_samples(features.astype(np.float64), labels, metric=metric),
            atol=1e-7,
        )


def test_a_group_without_members_changes_nothing() -> None:
    features, groups = make_clusters(3, np.array([20, 20, 20]), 4, 1.0, seed=0)
    moved = np.array([0, 2, 5])[groups]
    distances = CosineDistances(features)
    assert silhouette_score(distances.sums(moved, 7), moved) == pytest.approx(
        silhouette_score(distances.sums(groups, 3), groups)
    )


@pytest.mark.parametrize("metric", DISTANCES)
def test_sums_over_categories_are_those_computed_from_scratch(metric: str) -> None:
    features, groups = make_clusters(6, np.full(6, 15), 8, 1.0, seed=2)
    categories = np.array([0, 1, 0, 2, 2, 1])
    distances = DISTANCES[metric](features)
    merged = merged_sums(distances.sums(groups, 6), categories, 3)
    np.testing.assert_allclose(merged.numpy(), distances.sums(categories[groups], 3).numpy(), atol=1e-9)


@pytest.mark.parametrize("metric", DISTANCES)
def test_separated_groups_lie_far_above_random_labelings(metric: str) -> None:
    features, groups = make_clusters(5, np.full(5, 30), 16, 2.0, seed=3)
    distances = DISTANCES[metric](features)
    observed = silhouette_score(distances.sums(groups, 5), groups)
    null = Null.of(observed, silhouettes_of_permuted_samples(distances, groups, 5, 99, seed=0))
    assert null.p == 1 / 100
    assert (null.z or 0) > 20
    assert -0.1 < null.mean < 0


def test_the_null_of_many_permutations_agrees_with_labels_drawn_and_scored_by_scikit_learn() -> None:
    features, groups = make_clusters(4, np.array([10, 20, 30, 40]), 6, 1.0, seed=4)
    ours = silhouettes_of_permuted_samples(CosineDistances(features), groups, 4, 400, seed=0)
    generator = np.random.default_rng(99)
    theirs = [expected_score(features, generator.permutation(groups), metric="cosine") for _ in range(100)]
    assert ours.mean() == pytest.approx(np.mean(theirs), abs=4 * np.std(theirs) / np.sqrt(100))
    assert ours.std() == pytest.approx(np.std(theirs), rel=0.3)


def test_p_values_are_uniform_where_there_is_nothing_to_find() -> None:
    p_values = []
    for seed in range(120):
        features, groups = make_clusters(4, np.full(4, 10), 5, 0.0, seed=seed)
        distances = CosineDistances(features)
        observed = silhouette_score(distances.sums(groups, 4), groups)
        drawn = silhouettes_of_permuted_samples(distances, groups, 4, 39, seed=seed)
        p_values.append(Null.of(observed, drawn).p)
    # binomial: each bound is some 3.3 standard deviations away
    assert 0.34 < np.mean(np.array(p_values) <= 0.5) < 0.66
    assert 0.01 < np.mean(np.array(p_values) <= 0.1) < 0.2
    assert 0.8 < np.mean(np.array(p_values) <= 0.9) < 0.99


def test_categories_that_mean_nothing_beyond_their_sources_stay_within_their_null() -> None:
    p_values = []
    for seed in range(120):
        features, groups = make_clusters(12, np.full(12, 8), 10, 1.0, seed=seed)
        categories = np.arange(12) // 3
        sums = CosineDistances(features).sums(groups, 12)
        observed = silhouette_score(merged_sums(sums, categories, 4), categories[groups])
        drawn = silhouettes_of_permuted_groups(sums, groups, categories, 39, seed=seed)
        p_values.append(Null.of(observed, drawn).p)
    assert 0.34 < np.mean(np.array(p_values) <= 0.5) < 0.66
    assert np.mean(np.array(p_values) <= 0.05) < 0.15


def test_categories_of_neighbouring_sources_are_found() -> None:
    generator = np.random.default_rng(5)
    categories = np.arange(12) // 3
    centres = generator.normal(0, 2, (4, 10))[categories] + generator.normal(0, 1, (12, 10))
    groups = np.repeat(np.arange(12), 10)
    features = (centres[groups] + generator.normal(0, 1, (120, 10))).astype(np.float32)
    sums = CosineDistances(features).sums(groups, 12)
    observed = silhouette_score(merged_sums(sums, categories, 4), categories[groups])
    drawn = silhouettes_of_permuted_groups(sums, groups, categories, 199, seed=0)
    assert Null.of(observed, drawn).p <= 0.01


def test_the_same_seed_gives_the_same_permutations() -> None:
    features, groups = make_clusters(3, np.full(3, 10), 4, 1.0, seed=0)
    distances = CosineDistances(features)
    first, again, other = (
        silhouettes_of_permuted_samples(distances, groups, 3, 5, seed).tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
