"""Whether probabilities mean what they say."""

import numpy as np
import pytest

from sip_model.analysis.reliability import (
    Array,
    BoolArray,
    ClasswiseTally,
    expected_calibration_error,
    reliability,
)


def outcomes(seed: int, shift: float = 0.0, samples: int = 1600) -> tuple[Array, BoolArray]:
    """Predictions that are right with their probability less `shift`."""
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0.3, 1, samples)
    return confidence, generator.random(samples) < confidence - shift


def test_a_calibrated_sample_has_the_bias_of_its_size_and_less_when_that_is_taken_out() -> None:
    found = [reliability(*outcomes(seed)) for seed in range(20)]
    assert np.mean([each.ece for each in found]) == pytest.approx(0.03, abs=0.01)
    assert np.mean([each.ece_null for each in found]) == pytest.approx(0.03, abs=0.01)
    assert np.mean([each.ece_debiased for each in found]) < 0.022
    assert sum(each.ece > each.ece_null_95 for each in found) <= 4


@pytest.mark.parametrize("shift", [0.05, 0.2])
def test_overconfidence_is_found_at_its_size_and_outside_the_null(shift: float) -> None:
    found = [reliability(*outcomes(seed, shift, 16_000)) for seed in range(5)]
    assert np.mean([each.ece_debiased for each in found]) == pytest.approx(shift, abs=0.01)
    assert all(each.ece > each.ece_null_95 for each in found)


def test_bins_hold_all_predictions_the_least_sure_first() -> None:
    confidence, right = outcomes(0)
    found = reliability(confidence, right)
    assert found.counts.sum() == 1600
    assert (np.diff(found.confidence) > 0).all()
    assert found.accuracy @ found.counts == pytest.approx(right.sum())
    assert found.ece == pytest.approx(expected_calibration_error(confidence, right))


def test_fewer_predictions_than_bins_have_one_each() -> None:
    found = reliability(np.array([0.4, 0.9]), np.array([False, True]))
    assert found.counts.tolist() == [1, 1]
    assert found.ece == pytest.approx(0.25)


def test_the_same_predictions_give_the_same_null() -> None:
    assert reliability(*outcomes(3)).ece_null == reliability(*outcomes(3)).ece_null


def test_the_class_wise_error_is_the_mean_over_sources() -> None:
    probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.95, 0.05], [0.15, 0.85]])
    tally = ClasswiseTally.of(probabilities, np.arange(4), np.array([0, 0, 1, 1]))
    first = (abs(3 * 0.95 - 2) + abs(0.15 - 0)) / 4
    second = (abs(3 * 0.05 - 1) + abs(0.85 - 1)) / 4
    assert tally.ece() == pytest.approx((first + second) / 2)


def test_tallies_of_pieces_add_up_to_that_of_the_whole() -> None:
    generator = np.random.default_rng(0)
    probabilities, labels = generator.dirichlet(np.ones(5), 60), generator.integers(5, size=60)
    whole = ClasswiseTally.of(probabilities, np.arange(60), labels)
    halves = [
        ClasswiseTally.of(probabilities[i : i + 30], np.arange(30), labels[i : i + 30]) for i in (0, 30)
    ]
    assert (halves[0] + halves[1]).ece() == pytest.approx(whole.ece())
