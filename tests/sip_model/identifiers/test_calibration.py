"""From logits to a calibrated distribution."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from sip_model.identifiers.calibration import (
    METHODS,
    MIN_CHOICE_SAMPLES,
    Array,
    Calibration,
    CalibrationMethod,
)
from sip_model.identifiers.positives import IntArray, Positives
from tests.sip_model.identifiers.clusters import one_each


def sampled(temperature: float) -> tuple[Array, Positives]:
    """Logits (4000, 6) and sources drawn from their softmax at a temperature."""
    generator = np.random.default_rng(0)
    logits = generator.normal(scale=3, size=(4_000, 6))
    masses = softmax(logits / temperature, axis=1).cumsum(axis=1)
    return logits, one_each((generator.random((4_000, 1)) > masses).sum(axis=1).clip(max=5))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found_again(temperature: float) -> None:
    assert Calibration.fit(*sampled(temperature)).temperature == pytest.approx(temperature, rel=0.1)


def test_any_of_several_right_sources_counts() -> None:
    logits = np.array([[2.0, 2.0, -9.0]] * 50)
    either = Positives.from_lists([np.array([0, 1])] * 50)
    assert Calibration.fit(logits, either).temperature < 1  # nothing is ever wrong: the surer the better


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", [1.0, 500.0])
def test_every_distribution_sums_to_one(method: CalibrationMethod, scale: float) -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(scale=scale, size=(200, 50))
    fitted = Calibration.fit_method(method, logits, one_each(generator.integers(50, size=200)))
    probabilities = fitted(logits)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-9, rtol=0)
    assert probabilities.min() >= 0


@pytest.mark.parametrize("method", METHODS)
def test_no_method_changes_which_source_comes_first(method: CalibrationMethod) -> None:
    logits, positives = sampled(2.0)
    found = Calibration.fit_method(method, logits[:2000], positives.take(np.arange(2000)))(logits)
    np.testing.assert_array_equal(found.argmax(axis=1), logits.argmax(axis=1))


def test_probabilities_that_only_need_a_temperature_get_no_more() -> None:
    assert Calibration.fit(*sampled(2.0)).method == "temperature"


def test_predictions_that_are_all_too_sure_by_the_same_odds_get_a_bias() -> None:
    logits, labels = overrated(lambda highest: expit(1.2 * logit(highest) - 1.0))
    found = Calibration.fit(logits, one_each(labels))
    assert found.method == "temperature_and_bias"
    assert_worth(found, logits, labels)


def test_a_confidence_that_means_one_of_two_things_gets_steps() -> None:
    logits, labels = overrated(lambda highest: np.where(highest > 0.8, 0.95, 0.3))
    found = Calibration.fit(logits, one_each(labels))
    assert found.method == "isotonic"
    assert_worth(found, logits, labels)


def overrated(worth: Callable[[Array], Array]) -> tuple[Array, IntArray]:
    """Logits (6000, 6) and sources: a first one with probability p is right with `worth(p)`."""
    generator = np.random.default_rng(0)
    logits = generator.normal(scale=3, size=(6_000, 6))
    first, highest = logits.argmax(axis=1), softmax(logits, axis=1).max(axis=1)
    others = (first + generator.integers(1, 6, size=len(first))) % 6
    return logits, np.where(generator.random(len(first)) < worth(highest), first, others)


def assert_worth(found: Calibration, logits: Array, labels: IntArray) -> None:
    """The surest and the least sure thousands are right as often as they should be."""
    probabilities = found(logits)
    right = probabilities.argmax(axis=1) == labels
    order = np.argsort(probabilities.max(axis=1))
    for part in np.array_split(order, 6):
        assert probabilities[part].max(axis=1).mean() == pytest.approx(right[part].mean(), abs=0.04)


def test_few_samples_get_a_temperature_alone() -> None:
    logits, positives = sampled(1.0)
    few = np.arange(MIN_CHOICE_SAMPLES - 1)
    assert Calibration.fit(logits[few], positives.take(few)).method == "temperature"
