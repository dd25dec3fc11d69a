"""What a branch's two members say."""

import numpy as np
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from sip_model.identifiers.branches import BackboneBranch, source_centroids
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.positives import Positives
from sip_model.identifiers.whitening import Whitening
from tests.sip_model.identifiers.clusters import make_clusters

CLUSTERS = make_clusters(5, 60, 12, spread=2.0)
FEATURES = torch.from_numpy(CLUSTERS.features)
WHITENING = Whitening.fit(FEATURES, CLUSTERS.positives, 5)
HEAD = build_head(12, (), 5, 0.0, torch.Generator())


def branch(centroids: torch.Tensor | None) -> BackboneBranch:
    return BackboneBranch(WHITENING, HEAD, LOSSES["bce"], 5, centroids)


def test_the_discriminant_ranks_as_linear_discriminant_analysis_does() -> None:
    centroids = source_centroids(WHITENING(FEATURES), CLUSTERS.positives, 5)
    found = branch(centroids).scores(FEATURES).discriminant
    assert found is not None
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(CLUSTERS.features, CLUSTERS.labels)
    agreement = found.argmax(dim=1).numpy() == theirs.predict(CLUSTERS.features)
    assert agreement.mean() > 0.97  # theirs doesn't shrink the covariance


def test_the_distance_is_from_the_nearest_centroid() -> None:
    whitened = WHITENING(FEATURES)
    centroids = source_centroids(whitened, CLUSTERS.positives, 5)
    found = branch(centroids).scores(FEATURES).distance
    expected = torch.cdist(whitened, centroids).square().amin(dim=1) / 12
    assert found is not None
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_a_sample_of_two_sources_is_in_the_mean_of_both() -> None:
    points = torch.tensor([[0.0, 2.0], [4.0, 2.0], [8.0, 8.0]])
    positives = Positives.from_lists([np.array([0]), np.array([0, 1]), np.array([2])])
    centroids = source_centroids(points, positives, 4)
    assert centroids.tolist() == [[2, 2], [4, 2], [8, 8], [0, 0]]


def test_without_centroids_only_the_head_speaks() -> None:
    found = branch(None).scores(FEATURES)
    assert (found.discriminant, found.distance) == (None, None)
    torch.testing.assert_close(found.head, branch(None)(FEATURES))
