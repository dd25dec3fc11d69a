"""How two measures move together, on data of which the answer is known."""

import math

import numpy as np
import pytest
from scipy.stats import kendalltau, linregress, spearmanr

from sip_model.analysis.association import Association, Point, associate


def points(
    first: list[float], second: list[float], stratum: str = "books", offset: float = 0.0
) -> list[Point]:
    return [
        Point(f"model-{number}", stratum, [one], [other + offset])
        for number, (one, other) in enumerate(zip(first, second, strict=True))
    ]


def found(points: list[Point]) -> Association:
    association = associate(points)
    assert association is not None
    return association


def test_four_models_in_perfect_order_have_an_exact_p_of_one_twelfth() -> None:
    association = found(points([4.0, 3.0, 2.0, 1.0], [0.1, 0.2, 0.4, 0.8]))
    assert association.spearman == pytest.approx(-1.0)
    assert association.kendall == pytest.approx(-1.0)
    assert association.p_value == pytest.approx(2 / 24)
    assert association.smallest_p == pytest.approx(2 / 24)
    assert association.exact
    assert not association.can_be_significant


def test_five_models_may_be_significant_and_three_are_the_least() -> None:
    association = found(points([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]))
    assert association.p_value == pytest.approx(2 / 120)
    assert association.can_be_significant
    assert found(points([1, 2, 3], [1, 2, 3])).p_value == pytest.approx(2 / 6)
    assert math.isnan(found(points([1, 2, 3], [1, 2, 3])).slope_low)
    assert associate(points([1, 2], [1, 2])) is None


def test_on_one_corpus_it_is_the_correlation_and_slope_of_the_textbooks() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.normal(size=(2, 7))
    association = found(points(first.tolist(), second.tolist()))
    assert association.spearman == pytest.approx(spearmanr(first, second).statistic)
    assert association.kendall == pytest.approx(kendalltau(first, second).statistic)
    assert association.slope == pytest.approx(linregress(first, second).slope)


def test_ties_count_as_ties() -> None:
    first, second = [1.0, 1.0, 2.0, 3.0, 3.0], [5.0, 4.0, 4.0, 6.0, 6.0]
    association = found(points(first, second))
    assert association.spearman == pytest.approx(spearmanr(first, second).statistic)
    assert association.kendall == pytest.approx(kendalltau(first, second).statistic)


def test_the_level_of_a_corpus_is_removed_and_its_models_are_moved_together() -> None:
    falling = [0.5, 0.4, 0.3, 0.2]
    rising_levels = points([1, 2, 3, 4], falling) + points([11, 12, 13, 14], falling, "articles", 10.0)
    association = found(rising_levels)
    assert (association.num_models, association.num_strata) == (4, 2)
    assert association.spearman == pytest.approx(-1.0)
    assert association.slope == pytest.approx(-0.1)
    assert association.p_value == pytest.approx(2 / 24)


def test_a_model_without_a_value_on_some_corpus_is_left_out() -> None:
    books = points([1, 2, 3, 4], [1, 2, 3, 4])
    articles = points([1, 2, 3], [1, 2, 3], "articles")
    assert found(books + articles).num_models == 3


def test_only_models_of_one_block_are_exchanged() -> None:
    blocks = [
        Point(f"{size}-{seed}", "books", [float(seed)], [float(seed) + level], size)
        for size, level in (("nano", 0.0), ("micro", 5.0))
        for seed in range(3)
    ]
    association = found(blocks)
    assert association.spearman == pytest.approx(1.0)
    assert association.p_value == pytest.approx(2 / 36)
    assert association.smallest_p == pytest.approx(2 / 36)


def test_many_models_are_permuted_at_random_and_repeat_themselves() -> None:
    generator = np.random.default_rng(0)
    first = generator.normal(size=12)
    second = first + 0.1 * generator.normal(size=12)
    one, other = (found(points(first.tolist(), second.tolist())) for _ in range(2))
    assert one == other
    assert not one.exact
    assert one.p_value < 0.001
    assert one.slope_low < one.slope < one.slope_high


def test_a_measure_that_does_not_vary_has_no_correlation() -> None:
    association = found(points([1, 2, 3, 4], [0.5, 0.5, 0.5, 0.5]))
    assert math.isnan(association.spearman)
    assert math.isnan(association.p_value)
    assert association.slope == pytest.approx(0.0)


def test_the_interval_of_unrelated_measures_holds_zero() -> None:
    generator = np.random.default_rng(3)
    unrelated = points(generator.normal(size=8).tolist(), generator.normal(size=8).tolist())
    association = found(unrelated)
    assert association.slope_low < 0 < association.slope_high
    assert association.p_value > 0.05
