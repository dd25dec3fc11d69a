"""What the benchmark of fine-tuning compares, and the page that says so."""

import pytest

from benchmarks.fine_tuning import Runs, problems_of, summary
from benchmarks.fine_tuning_arms import ARMS, FROZEN, HEAD_ALONE, ONE_RATE, TWO_RATES, ArmResult
from benchmarks.fine_tuning_page import fine_tuning_page

SEEDS = (0, 1)
DOCUMENTS = [f"book {number // 4}" for number in range(40)]


def result(arm: str, seed: int, num_right: int, num_validation_right: int) -> ArmResult:
    """Of 40 test and 10 validation samples; the first ones are right."""
    right, validation = (
        [int(place < most) for place in range(size)]
        for most, size in ((num_right, 40), (num_validation_right, 10))
    )
    return ArmResult(arm, seed, DOCUMENTS, right, validation, [], 1.0)


@pytest.fixture
def runs() -> Runs:
    """Two rates are right about everything; each other arm's first rate looks better on validation data and
    is worse on test data."""
    found: Runs = {TWO_RATES: [result(TWO_RATES, seed, 40, 5) for seed in SEEDS]}
    for arms in (FROZEN, HEAD_ALONE, ONE_RATE):
        for arm, num_right, num_validation_right in zip(arms, (10, 30), (9, 8), strict=True):
            found[arm] = [result(arm, seed, num_right, num_validation_right) for seed in SEEDS]
    return {arm: found[arm] for arm in ARMS}


def test_rates_are_chosen_on_validation_data_alone(runs: Runs) -> None:
    results = summary(runs, SEEDS)
    assert results["compared"] == [next(iter(arms)) for arms in (FROZEN, HEAD_ALONE, ONE_RATE)]
    assert list(problems_of(results)) == []


def test_an_interval_with_zero_in_it_is_a_problem(runs: Runs) -> None:
    arm = next(iter(ONE_RATE))
    runs[arm] = [result(arm, seed, 40, 9) for seed in SEEDS]
    (problem,) = problems_of(summary(runs, SEEDS))
    assert problem.startswith(f"{TWO_RATES} − {arm}: ")


def test_the_page_shows_arms_and_differences(runs: Runs) -> None:
    page = fine_tuning_page(summary(runs, SEEDS))
    assert f"| {TWO_RATES} | 0.5000 (0.5000, 0.5000) | 1.0000 (1.0000, 1.0000) |" in page
    assert f"| {TWO_RATES} − {next(iter(FROZEN))} | **+0.7500 [" in page
