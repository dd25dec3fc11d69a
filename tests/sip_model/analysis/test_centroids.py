"""Centroids of sources and their authors."""

import numpy as np
import pytest

from sip_model.analysis.centroids import CentroidReport, centroids_of, compare_centroids


def make_centroids(pull: float, seed: int) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], ...]:
    """Sources of ten authors with three each, and of ten more with one; `pull` draws an author's together."""
    generator = np.random.default_rng(seed)
    categories = np.concatenate([np.repeat(np.arange(10), 3), np.arange(10, 20)])
    centres = generator.normal(0, pull, (20, 16))
    return centres[categories] + generator.normal(0, 1, (40, 16)), categories


def compare(pull: float, seed: int, permutations: int = 99) -> CentroidReport:
    centroids, categories = make_centroids(pull, seed)
    report = compare_centroids(centroids, categories.astype(np.int64), permutations, seed)
    assert report is not None
    return report


def test_centroids_are_the_means_of_their_samples() -> None:
    generator = np.random.default_rng(0)
    features, groups = generator.normal(size=(50, 4)).astype(np.float32), generator.integers(3, size=50)
    centroids = centroids_of(features, groups, 4)
    for group in range(3):
        np.testing.assert_allclose(centroids[group], features[groups == group].mean(axis=0), atol=1e-6)
    assert np.isnan(centroids[3]).all()


def test_the_correlation_is_pearsons_over_pairs_of_repeated_authors() -> None:
    centroids, categories = make_centroids(0.7, seed=1)
    unit = centroids[:30] / np.linalg.norm(centroids[:30], axis=1, keepdims=True)
    left, right = np.triu_indices(30, 1)
    differ = categories[left] != categories[right]
    expected = np.corrcoef((1 - unit @ unit.T)[left, right], differ)[0, 1]
    report = compare(0.7, seed=1)
    assert report.correlation == pytest.approx(expected)
    assert (report.sources, report.categories, report.candidates) == (30, 10, 40)


def test_authors_that_draw_their_sources_together_are_found() -> None:
    report = compare(1.5, seed=2)
    assert report.correlation_null is not None
    assert report.nearest_same_null is not None
    assert report.correlation_null.p == report.nearest_same_null.p == 0.01
    assert report.nearest_same > 0.8
    assert report.nearest_same_chance == pytest.approx(2 / 39)


def test_authors_that_mean_nothing_stay_at_chance() -> None:
    reports = [compare(0.0, seed) for seed in range(60)]
    p_values = [report.correlation_null.p for report in reports if report.correlation_null is not None]
    assert len(p_values) == 60
    assert 0.3 < np.mean(np.array(p_values) <= 0.5) < 0.7
    assert np.mean([report.nearest_same for report in reports]) == pytest.approx(2 / 39, abs=0.03)
    drawn = [report.nearest_same_null.mean for report in reports if report.nearest_same_null is not None]
    assert np.mean(drawn) == pytest.approx(2 / 39, abs=0.01)


def test_without_permutations_there_is_no_null() -> None:
    report = compare(1.0, seed=0, permutations=0)
    assert (report.correlation_null, report.nearest_same_null) == (None, None)


@pytest.mark.parametrize("categories", [[0, 1, 2, 3], [-1, -1, -1, -1], [0, 0, 0, 0], [0, -1, -1, 1]])
def test_where_no_two_authors_can_be_compared_there_is_no_report(categories: list[int]) -> None:
    centroids = np.random.default_rng(0).normal(size=(4, 3))
    assert compare_centroids(centroids, np.array(categories), 9, seed=0) is None


def test_one_author_with_several_sources_has_neighbours_but_no_correlation() -> None:
    centroids = np.random.default_rng(0).normal(size=(5, 3))
    report = compare_centroids(centroids, np.array([0, 0, 1, 2, -1]), 9, seed=0)
    assert report is not None
    assert np.isnan(report.correlation)
    assert report.correlation_null is None
    assert (report.sources, report.candidates) == (2, 4)
