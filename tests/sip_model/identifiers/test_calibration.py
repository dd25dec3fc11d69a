"""From logits to a calibrated distribution."""

import math

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from sip_model.identifiers.calibration import DEFAULT_UNKNOWN_PRIOR, Array, Calibration
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


@pytest.mark.parametrize("prior", [0.0, 1e-9, DEFAULT_UNKNOWN_PRIOR, 0.7, 1.0])
@pytest.mark.parametrize("scale", [1.0, 500.0])
def test_every_distribution_sums_to_one(prior: float, scale: float) -> None:
    logits = np.random.default_rng(0).normal(scale=scale, size=(200, 1000))
    probabilities, unknown = Calibration(0.3, -1.0).distribution(logits, prior)
    np.testing.assert_allclose(probabilities.sum(axis=1) + unknown, 1, atol=1e-9, rtol=0)
    assert probabilities.min() >= 0
    assert ((unknown >= 0) & (unknown <= 1)).all()


def test_a_text_normal_for_known_sources_is_unknown_with_the_prior() -> None:
    logits, positives = sampled(1.0)
    calibration = Calibration.fit(logits, positives)
    normal = (
        logits[:1] - logsumexp(logits[:1]) - calibration.none_log_odds
    )  # its odds of none: the usual ones
    for prior in (0.01, 0.05, 0.5):
        np.testing.assert_allclose(calibration.unknown(normal, prior), prior, rtol=1e-9)


def test_the_likelihood_ratio_of_unknown_averages_one_over_known_texts() -> None:
    logits, positives = sampled(1.0)
    unknown = Calibration.fit(logits, positives).unknown(logits, 0.5)
    assert np.mean(unknown / (1 - unknown)) == pytest.approx(1)


def test_priors_of_nothing_and_everything_are_taken_at_their_word() -> None:
    logits = np.array([[-80.0, -90.0], [80.0, 0.0]])
    calibration = Calibration(1.0, -2.0)
    assert calibration.unknown(logits, 0.0).tolist() == [0, 0]
    assert calibration.unknown(logits, 1.0).tolist() == [1, 1]
    assert not calibration.distribution(logits, 1.0)[0].any()


def test_the_lower_all_logits_are_the_likelier_is_unknown() -> None:
    logits = np.array([[4.0, -3.0], [0.0, -3.0], [-6.0, -6.0]])
    unknown = Calibration(1.0, -math.log(2)).unknown(logits)
    assert unknown[0] < unknown[1] < unknown[2]
