"""One layer's geometry."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from sip_model.analysis.geometry import FloatArray, Labels, centred, measure_layer, place_panels
from sip_model.analysis.panels import draw_panel
from sip_model.analysis.projections import PROJECTIONS, FittingData, Method, Projection
from sip_model.errors import InvalidInputError
from sip_model.experiments.geometry import ProjectionName

NUM_SOURCES = 8
CHUNKS = 30


@pytest.fixture
def labels() -> Labels:
    """Eight sources by three authors and one unknown; 18 chunks of each for training, 6 to validate."""
    groups = np.repeat(np.arange(NUM_SOURCES), CHUNKS)
    places = np.arange(len(groups)) % CHUNKS
    return Labels(
        groups=groups,
        categories=np.array([0, 0, 0, 1, 1, 2, 2, -1]),
        train=np.flatnonzero(places < 18),
        validation=np.flatnonzero((places >= 18) & (places < 24)),
        test=np.flatnonzero(places >= 24),
    )


@pytest.fixture
def states(labels: Labels) -> FloatArray:
    generator = np.random.default_rng(0)
    authors = generator.normal(0, 1, (4, 12))[labels.categories]
    sources = authors + generator.normal(0, 0.7, (NUM_SOURCES, 12))
    found = sources[labels.groups] + generator.normal(0, 1, (len(labels.groups), 12)) + 5
    return centred(found.astype(np.float32), labels.train)


def test_states_are_centred_by_the_training_part_alone(labels: Labels, states: FloatArray) -> None:
    assert states.dtype == np.float32
    np.testing.assert_allclose(states[labels.train].mean(axis=0), 0, atol=1e-5)
    changed = states.copy()
    changed[labels.test] += 100
    np.testing.assert_array_equal(
        centred(changed, labels.train)[labels.train], centred(states, labels.train)[labels.train]
    )


def test_all_scores_are_those_of_scikit_learn(labels: Labels, states: FloatArray) -> None:
    found = measure_layer(states, labels, np.arange(len(states)), 19, 0, "cpu")
    groups = labels.groups
    assert found.cosine.silhouette == pytest.approx(
        silhouette_score(states, groups, metric="cosine"), abs=1e-6
    )
    assert found.euclidean.silhouette == pytest.approx(silhouette_score(states, groups), abs=1e-6)
    authors = labels.categories[groups]
    known = authors >= 0
    assert found.category is not None
    assert found.category.silhouette == pytest.approx(
        silhouette_score(states[known], authors[known], metric="cosine"), abs=1e-6
    )
    assert (found.category.samples, found.category.groups) == (7 * CHUNKS, 3)
    assert found.test is not None
    assert found.test.silhouette == pytest.approx(
        silhouette_score(states[labels.test], groups[labels.test], metric="cosine"), abs=1e-6
    )
    assert (found.cosine.samples, found.cosine.groups) == (NUM_SOURCES * CHUNKS, NUM_SOURCES)
    assert found.by_source.mean() == pytest.approx(found.cosine.silhouette)
    assert found.cosine.null is not None
    assert found.cosine.null.p == 1 / 20
    assert found.centroids is not None
    assert found.centroids.sources == 7


def test_without_authors_there_is_no_score_by_author(labels: Labels, states: FloatArray) -> None:
    anonymous = replace(labels, categories=np.full(NUM_SOURCES, -1))
    found = measure_layer(states, anonymous, np.arange(len(states)), 0, 0, "cpu")
    assert (found.category, found.centroids, found.cosine.null) == (None, None, None)


def test_sources_that_were_not_sampled_have_no_score(labels: Labels, states: FloatArray) -> None:
    sample = np.flatnonzero(labels.groups >= 2)
    found = measure_layer(states, labels, sample, 0, 0, "cpu")
    assert np.isnan(found.by_source).tolist() == [True, True] + [False] * 6
    assert found.cosine.groups == 6


@pytest.mark.parametrize("name", ["pca", "lda", "raw", "bottleneck"])
def test_projections_never_see_test_chunks(name: ProjectionName, labels: Labels, states: FloatArray) -> None:
    panels = [draw_panel(labels.groups, classes, 20, 0, 0) for classes in (3, 4)]
    changed = states.copy()
    changed[labels.test] = np.random.default_rng(1).normal(0, 50, (len(labels.test), 12))
    before, after = (
        place_panels(each, labels, panels, PROJECTIONS[name], 0, seed=0) for each in (states, changed)
    )
    for one, other in zip(before, after, strict=True):
        in_train = np.isin(one.panel.rows, labels.train)
        in_test = np.isin(one.panel.rows, labels.test)
        assert in_train.any()
        np.testing.assert_array_equal(one.xy[in_train], other.xy[in_train])
        assert not np.allclose(one.xy[in_test], other.xy[in_test])
        assert one.explained == other.explained


@pytest.mark.parametrize("uses_labels", [False, True])
def test_only_training_and_validation_chunks_are_given_to_a_projection(
    uses_labels: bool, labels: Labels, states: FloatArray
) -> None:
    given: list[FittingData] = []

    def fit(data: FittingData) -> Projection:
        given.append(data)
        return PROJECTIONS["pca"].fit(data)

    panels = [draw_panel(labels.groups, 3, 20, 0, number) for number in range(2)]
    place_panels(states, labels, panels, Method(fit, uses_labels), 0, seed=0)
    assert len(given) == (2 if uses_labels else 1)
    train, validation = (
        {row.tobytes() for row in states[rows]} for rows in (labels.train, labels.validation)
    )
    for data in given:
        assert {row.tobytes() for row in data.features} <= train
        assert {row.tobytes() for row in data.validation} <= validation
        assert len(data.features) == 18 * data.num_classes
        assert np.bincount(data.labels).tolist() == [18] * data.num_classes
        assert data.num_classes == (3 if uses_labels else NUM_SOURCES)


def test_a_panels_silhouette_is_that_of_its_points(labels: Labels, states: FloatArray) -> None:
    (placed,) = place_panels(
        states, labels, [draw_panel(labels.groups, 3, 30, 0, 0)], PROJECTIONS["pca"], 19, seed=0
    )
    assert placed.xy.shape == (90, 2)
    assert placed.silhouette.silhouette == pytest.approx(silhouette_score(placed.xy, placed.panel.labels))
    in_test = np.isin(placed.panel.rows, labels.test)
    assert placed.silhouette_test is not None
    assert placed.silhouette_test.silhouette == pytest.approx(
        silhouette_score(placed.xy[in_test], placed.panel.labels[in_test])
    )
    assert placed.silhouette.null is not None
    assert placed.silhouette.null.permutations == 19


def test_a_plane_is_not_learned_from_a_single_chunk_of_a_source(labels: Labels, states: FloatArray) -> None:
    panel = draw_panel(labels.groups, 3, 30, 0, 0)
    of_first = labels.train[labels.groups[labels.train] == panel.sources[0]]
    few = replace(labels, train=np.setdiff1d(labels.train, of_first[1:]))
    with pytest.raises(
        InvalidInputError, match=r"geometry\.projection: expected 2 training chunks .* with 1\."
    ):
        place_panels(states, few, [panel], PROJECTIONS["lda"], 0, seed=0)
    assert len(place_panels(states, few, [panel], PROJECTIONS["pca"], 0, seed=0)) == 1
