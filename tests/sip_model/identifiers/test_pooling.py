"""How much surer several windows make than one."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import softmax

from sip_model.identifiers.pooling import GROUPS, USUAL_GROWTH, fit_growth, sharpened
from sip_model.identifiers.positives import Positives

NUM_SOURCES = 6


def passages(shared: float, seed: int = 0) -> tuple[npt.NDArray[np.float64], Positives]:
    """Forty in a row of each source; this share of what misleads is the same for all of a group of eight."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(NUM_SOURCES), 40)
    common = np.repeat(generator.normal(size=(len(labels) // 8, NUM_SOURCES)), 8, axis=0)
    own = generator.normal(size=(len(labels), NUM_SOURCES))
    noise = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    # log-odds of a Gaussian signal of unit noise at distance 1 from 0: exact where the noise is its own
    logits = (np.eye(NUM_SOURCES)[labels] + noise) * 1.0
    return softmax(logits, axis=1), Positives.from_lists([np.array([label]) for label in labels])


def test_independent_windows_add_up_and_those_that_say_the_same_do_not() -> None:
    alone, together = fit_growth(*passages(0.0)), fit_growth(*passages(1.0))
    assert alone > 0.85
    assert together < 0.3


def test_without_several_passages_of_a_source_it_is_the_usual_one() -> None:
    probabilities = np.full((3, 3), 1 / 3)
    assert fit_growth(probabilities, Positives.from_lists([np.array([n]) for n in range(3)])) == USUAL_GROWTH
    several = Positives.from_lists([np.array([0, 1])] * 3)
    assert fit_growth(probabilities, several) == USUAL_GROWTH


def test_more_windows_sharpen_the_distribution_and_one_leaves_it() -> None:
    probabilities = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1]])
    found = sharpened(probabilities, np.array([1, 4]), 0.5)
    np.testing.assert_array_equal(found[0], probabilities[0])
    squares = np.array([0.36, 0.09, 0.01])
    assert found[1] == pytest.approx(squares / squares.sum())
    np.testing.assert_allclose(sharpened(probabilities, np.array([9, 9]), 0.0), probabilities)
    eight, more = (sharpened(probabilities, np.full(2, number), 0.5) for number in (max(GROUPS), 256))
    np.testing.assert_array_equal(eight, more)


def test_no_number_of_windows_overflows() -> None:
    found = sharpened(np.array([[1.0, 0.0, 0.0]]), np.array([256]), 1.0)
    np.testing.assert_allclose(found, [[1, 0, 0]], atol=1e-12)
