"""Sets of sources that hold the right one as often as asked."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from sip_model.identifiers.conformal import GROUP_SAMPLES, ConformalSets, SetScore
from sip_model.identifiers.positives import Positives

Array = npt.NDArray[np.float64]
NUM_SOURCES = 10


def draw(num_samples: int, seed: int) -> tuple[Array, Positives]:
    """Samples and probabilities that are off the mark: too sure of the last sources."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=1.5, size=(num_samples, NUM_SOURCES))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = [np.array([generator.choice(NUM_SOURCES, p=row)]) for row in true]
    sharpened = true ** (1 + 0.5 * (np.arange(NUM_SOURCES) > 5))
    return sharpened / sharpened.sum(axis=1, keepdims=True), Positives.from_lists(labels)


@pytest.fixture(scope="module")
def sets() -> ConformalSets:
    """Calibrated on two thousand samples."""
    return ConformalSets.fit(draw(1000, 1), draw(2000, 2), NUM_SOURCES)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_the_right_source_is_in_the_set_as_often_as_asked(sets: ConformalSets, coverage: float) -> None:
    probabilities, positives = draw(4000, 3)
    is_in = sets.sets(probabilities, coverage)
    rows, sources = positives.pairs(np.arange(len(positives)))
    covered = is_in[rows, sources].mean()
    assert coverage - 0.02 < covered < max(coverage, 0.62) + 0.035
    assert is_in.any(axis=1).all()


def test_a_set_takes_in_the_most_probable_sources_of_a_group_first(sets: ConformalSets) -> None:
    probabilities, _ = draw(200, 4)
    is_in = sets.sets(probabilities, 0.8)
    for group in range(len(sets.edges) - 1):
        members = np.flatnonzero(sets.groups == group)
        inside, outside = is_in[:, members], ~is_in[:, members]
        lowest = np.where(inside, probabilities[:, members], 1).min(axis=1)
        highest = np.where(outside, probabilities[:, members], 0).max(axis=1)
        best = probabilities[:, members].max(axis=1) == probabilities.max(axis=1)
        assert (highest <= lowest)[~best].all()


def test_sets_grow_with_coverage_up_to_all_sources(sets: ConformalSets) -> None:
    probabilities, _ = draw(50, 5)
    sizes = [sets.sets(probabilities, coverage).sum(axis=1) for coverage in (0, 0.3, 0.9, 0.99, 1)]
    for smaller, larger in pairwise(sizes):
        assert (smaller <= larger).all()
    assert (sizes[0] == 1).all()
    assert (sizes[-1] == NUM_SOURCES).all()


def test_sources_are_grouped_where_they_have_few_samples() -> None:
    few = ConformalSets.fit(draw(100, 1), draw(GROUP_SAMPLES, 2), NUM_SOURCES)
    assert len(few.edges) == 2
    many = ConformalSets.fit(draw(1000, 1), draw(3 * GROUP_SAMPLES, 2), NUM_SOURCES)
    assert len(many.edges) == 4
    assert np.diff(many.edges).min() > GROUP_SAMPLES / 3
    assert many.edges[-1] == 3 * GROUP_SAMPLES


def test_too_few_samples_guarantee_nothing() -> None:
    sets = ConformalSets(SetScore("adaptive"), np.zeros(3, np.int64), np.array([0.2, 0.5]), np.array([0, 2]))
    probabilities = np.array([[0.9, 0.06, 0.04]])
    assert sets.sets(probabilities, 0.6).tolist() == [[True, False, False]]
    assert sets.sets(probabilities, 0.9).tolist() == [[True, True, True]]


def test_of_several_right_sources_the_first_counts() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    positives = Positives.from_lists([np.array([0, 2]), np.array([1])])
    sets = ConformalSets.fit((probabilities, positives), (probabilities, positives), 3)
    assert sets.scores.tolist() == pytest.approx(
        sorted([sets.score.scores(probabilities)[0, 0], sets.score.scores(probabilities)[1, 1]])
    )


def test_scores_of_both_kinds_rise_from_the_most_probable_source_down() -> None:
    probabilities = np.array([[0.2, 0.5, 0.3]])
    adaptive, least = SetScore("adaptive", 0.1, 2), SetScore("least_ambiguous")
    assert adaptive.scores(probabilities)[0].tolist() == pytest.approx([1.0 + 0.1, 0.5, 0.8])
    assert least.scores(probabilities)[0].tolist() == pytest.approx([0.8, 0.5, 0.7])


def test_the_kind_with_the_smaller_sets_is_chosen() -> None:
    every = [SetScore("least_ambiguous"), SetScore("adaptive")]
    probabilities, positives = draw(1000, 1)
    chosen = ConformalSets.fit((probabilities, positives), draw(500, 2), NUM_SOURCES).score
    rows, sources = positives.pairs(np.arange(1000))
    sizes = []
    for score in [chosen, *every]:
        values = score.scores(probabilities)
        sizes.append((values <= np.quantile(values[rows, sources], 0.9, method="higher")).sum())
    assert sizes[0] == min(sizes)


def test_sets_come_back_from_their_arrays(sets: ConformalSets) -> None:
    again = ConformalSets.from_arrays(sets.score, sets.arrays())
    probabilities, _ = draw(20, 6)
    np.testing.assert_array_equal(again.sets(probabilities, 0.9), sets.sets(probabilities, 0.9))
