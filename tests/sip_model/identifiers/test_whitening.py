"""Features in which sources differ in all directions alike."""

import numpy as np
import torch

from sip_model.identifiers import whitening
from sip_model.identifiers.positives import Positives
from sip_model.identifiers.whitening import SHRINKAGE, Whitening
from tests.sip_model.identifiers.clusters import make_clusters, one_each


def _within(features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Covariance (D, D) of features around the means of their sources."""
    centroids = torch.stack([features[labels == label].mean(0) for label in range(int(labels.max()) + 1)])
    residuals = (features - centroids[labels]).double()
    return residuals.T @ residuals / len(features)


def test_within_source_covariance_becomes_the_identity_up_to_shrinkage() -> None:
    clusters = make_clusters(5, 200, 6)
    mixing = torch.randn(6, 6, generator=torch.Generator().manual_seed(1))
    features = torch.from_numpy(clusters.features) @ mixing + 3
    labels = torch.from_numpy(clusters.labels)
    fitted = Whitening.fit(features, clusters.positives, 5)
    before = _within(features, labels)
    shrunk = (1 - SHRINKAGE) * before + SHRINKAGE * before.diagonal().mean() * torch.eye(6)
    transform = fitted.transform.double()
    torch.testing.assert_close(
        transform.T @ shrunk @ transform, torch.eye(6, dtype=torch.float64), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(
        _within(fitted(features), labels), transform.T @ before @ transform, atol=1e-3, rtol=0
    )
    torch.testing.assert_close(fitted(features).mean(0), torch.zeros(6), atol=1e-3, rtol=0)


def test_one_sample_per_source_gives_features_of_ordinary_size() -> None:
    clusters = make_clusters(12, 1, 4)
    fitted = Whitening.fit(torch.from_numpy(clusters.features), clusters.positives, 12)
    assert fitted(torch.from_numpy(clusters.features)).abs().max() < 10


def test_a_constant_feature_does_no_harm() -> None:
    clusters = make_clusters(3, 10, 4)
    features = torch.from_numpy(clusters.features)
    features[:, 2] = 7
    assert Whitening.fit(features, clusters.positives, 3)(features).isfinite().all()


def test_a_sample_of_two_sources_counts_for_both() -> None:
    features = torch.tensor([[0.0, 1.0], [2.0, 0.0], [4.0, 5.0]])
    shared = Positives.from_lists([np.array([0]), np.array([0, 1]), np.array([1])])
    repeated = one_each(np.array([0, 0, 1, 1]))
    mine = Whitening.fit(features, shared, 2)
    theirs = Whitening.fit(features[[0, 1, 1, 2]], repeated, 2)
    torch.testing.assert_close(mine.transform, theirs.transform)


def test_very_wide_features_are_scaled_only() -> None:
    width = whitening.MAX_WHITENED_FEATURES + 1
    features = torch.randn(6, width, generator=torch.Generator().manual_seed(0)) * 5
    fitted = Whitening.fit(features, one_each(np.array([0, 0, 0, 1, 1, 1])), 2)
    assert fitted.transform.shape == (width,)
    torch.testing.assert_close(fitted(features).std(0), torch.ones(width))
