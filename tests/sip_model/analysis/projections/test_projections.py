"""Ways to two dimensions."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import silhouette_score

from sip_model.analysis.projections import PROJECTIONS
from sip_model.analysis.projections.lda import discriminants
from sip_model.errors import InvalidInputError
from sip_model.experiments.geometry import ProjectionName
from tests.sip_model.analysis.projections.states import make_data, make_states

NAMES: list[ProjectionName] = list(PROJECTIONS)


@pytest.mark.parametrize(("num_samples", "dimension"), [(200, 16), (20, 64), (40, 2)])
def test_pca_is_scikit_learns_up_to_sign(num_samples: int, dimension: int) -> None:
    data = make_data(num_samples, dimension)
    projection = PROJECTIONS["pca"].fit(data)
    peer = PCA(n_components=2, svd_solver="full").fit(data.features.astype(np.float64))
    others, _ = make_states(50, dimension, 3, seed=9)
    found, expected = projection.apply(others), peer.transform(others)
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-8)
    assert projection.explained == pytest.approx(peer.explained_variance_ratio_.tolist(), abs=1e-9)


def test_raw_is_the_first_two_dimensions() -> None:
    states, _ = make_states(10, 8, 2, seed=0)
    np.testing.assert_array_equal(PROJECTIONS["raw"].fit(make_data(dimension=8)).apply(states), states[:, :2])


@pytest.mark.parametrize("name", ["lda", "bottleneck"])
@pytest.mark.parametrize(("num_samples", "dimension", "num_classes"), [(120, 24, 3), (60, 200, 4)])
def test_trained_projections_separate_states_they_have_not_seen_better_than_pca(
    name: ProjectionName, num_samples: int, dimension: int, num_classes: int
) -> None:
    data = make_data(num_samples, dimension, num_classes)
    others, labels = make_states(90, dimension, num_classes, seed=9)
    trained, plain = (
        silhouette_score(PROJECTIONS[way].fit(data).apply(others), labels) for way in (name, "pca")
    )
    assert trained > plain + 0.1


def test_without_shrinkage_discriminants_are_scikit_learns_up_to_sign() -> None:
    data = make_data(200, 10, 4)
    states = data.features - data.features.astype(np.float64).mean(axis=0)
    axes, shares = discriminants(states, data.labels, 4, shrinkage=0.0)
    peer = LinearDiscriminantAnalysis(solver="eigen").fit(states, data.labels)
    found, expected = states @ axes, peer.transform(states)[:, :2]
    correlations = [abs(np.corrcoef(found[:, k], expected[:, k])[0, 1]) for k in (0, 1)]
    assert correlations == pytest.approx([1.0, 1.0], abs=1e-9)
    assert shares == pytest.approx(peer.explained_variance_ratio_[:2].tolist(), abs=1e-9)


def test_two_classes_differ_along_one_discriminant_alone() -> None:
    data = make_data(num_classes=2)
    projection = PROJECTIONS["lda"].fit(data)
    assert projection.explained == pytest.approx((1.0, 0.0))
    points = projection.apply(data.features)
    gaps = [abs(points[data.labels == 0, k].mean() - points[data.labels == 1, k].mean()) for k in (0, 1)]
    assert gaps[0] > 1
    assert gaps[1] < 1e-6


def test_states_on_a_line_have_one_discriminant() -> None:
    data = make_data()
    line = np.outer(data.labels - data.labels.mean(), np.ones(24)).astype(np.float32)
    points = PROJECTIONS["lda"].fit(replace(data, features=line)).apply(line)
    assert not points[:, 1].any()
    assert len(np.unique(points[:, 0].round(6))) == 3


@pytest.mark.parametrize("name", [name for name in NAMES if name != "umap"])  # see below
def test_the_same_seed_gives_the_same_coordinates_on_any_states(name: ProjectionName) -> None:
    data = make_data()
    others, _ = make_states(20, 24, 3, seed=9)
    first, second = (PROJECTIONS[name].fit(data).apply(others) for _ in range(2))
    assert first.shape == (20, 2)
    assert first.dtype == np.float64
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)


def test_another_seed_gives_another_bottleneck() -> None:
    data = make_data()
    first, second = (
        PROJECTIONS["bottleneck"].fit(replace(data, seed=seed)).apply(data.features) for seed in (0, 1)
    )
    assert not np.allclose(first, second)


def test_a_bottleneck_without_validation_states_looks_at_the_training_loss() -> None:
    data = make_data()
    alone = replace(data, validation=data.validation[:0], validation_labels=data.validation_labels[:0])
    points = PROJECTIONS["bottleneck"].fit(alone).apply(data.features)
    assert silhouette_score(points, data.labels) > 0.3


def test_umap_keeps_well_separated_classes_apart_the_same_way_each_time() -> None:
    data = make_data()
    far = replace(data, features=data.features + 20 * np.eye(24, dtype=np.float32)[data.labels])
    others, labels = make_states(30, 24, 3, seed=9)
    others += 20 * np.eye(24, dtype=np.float32)[labels]
    first, second = (PROJECTIONS["umap"].fit(far).apply(others) for _ in range(2))
    assert first.shape == (30, 2)
    np.testing.assert_array_equal(first, second)
    assert silhouette_score(first, labels) > 0.5
    assert not np.allclose(first, PROJECTIONS["umap"].fit(replace(far, seed=1)).apply(others))


def test_umap_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InvalidInputError, match=r"geometry\.projection.*extra `umap`"):
        PROJECTIONS["umap"].fit(make_data())
