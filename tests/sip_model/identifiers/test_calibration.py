"""From logits to a calibrated distribution."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from sip_model.identifiers.calibration import (
    METHODS,
    MIN_CHOICE_SAMPLES,
    Array,
    Calibration,
    CalibrationMethod,
)
from sip_model.identifiers.positives import Positives
from tests.sip_model.identifiers.clusters import one_each


def sampled(temperature: float) -> tuple[Array, Positives]:
    """Logits (20000, 6) and sources drawn from their softmax at a temperature."""
    generator = np.random.default_rng(0)
    logits = generator.normal(scale=3, size=(20_000, 6))
    masses = softmax(logits / temperature, axis=1).cumsum(axis=1)
    return logits, one_each((generator.random((20_000, 1)) > masses).sum(axis=1).clip(max=5))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found_again(temperature: float) -> None:
    assert Calibration.fit(*sampled(temperature)).temperature == pytest.approx(temperature, rel=0.05)


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


def test_sigmoids_of_several_sources_at_once_get_a_bias() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(loc=1.0, scale=4, size=(6000, 6))
    masses = expit(logits)
    masses = (masses / masses.sum(axis=1, keepdims=True)).cumsum(axis=1)
    labels = (generator.random((6000, 1)) > masses).sum(axis=1).clip(max=5)
    found = Calibration.fit(logits, one_each(labels))
    assert found.method == "temperature_and_bias"
    assert (found.temperature, found.bias) == pytest.approx((1, 0), abs=0.2)


def test_a_confidence_that_stops_meaning_anything_gets_steps() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(scale=3, size=(6000, 6))
    labels = logits.argmax(axis=1)
    wrong = generator.random(6000) < 0.4  # however sure: two in five are wrong
    labels[wrong] = generator.integers(6, size=int(wrong.sum()))
    found = Calibration.fit(logits, one_each(labels))
    assert found.method == "isotonic"
    surest = found(logits).max(axis=1)[np.argsort(logits.max(axis=1))[-500:]]
    assert surest.mean() == pytest.approx(1 - 0.4 * 5 / 6, abs=0.05)


def test_few_samples_get_a_temperature_alone() -> None:
    logits, positives = sampled(1.0)
    few = np.arange(MIN_CHOICE_SAMPLES - 1)
    assert Calibration.fit(logits[few], positives.take(few)).method == "temperature"
