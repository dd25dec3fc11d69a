"""What the benchmark of fine-tuning compares, and the page that says so."""

import pytest

from benchmarks.fine_tuning import COMPARED, Runs, problems_of, summary
from benchmarks.fine_tuning_arms import (
    ARMS,
    FROZEN,
    LAST_LAYERS,
    ONE_RATE,
    TWO_RATES,
    ArmResult,
    TunedArm,
    training_of,
)
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
    """Two rates are right about everything; of the others the first looks best on validation data."""
    found: Runs = {arm: [result(arm, seed, 30, 8) for seed in SEEDS] for arm in ARMS}
    for _, others in COMPARED:
        found[others[0]] = [result(others[0], seed, 10, 9) for seed in SEEDS]
    (arm,) = TWO_RATES
    found[arm] = [result(arm, seed, 40, 5) for seed in SEEDS]
    return found


def test_what_is_compared_is_chosen_on_validation_data_alone(runs: Runs) -> None:
    results = summary(runs, SEEDS)
    assert results["differences"].keys() == {f"{arm} − {others[0]}" for (arm,), others in COMPARED}  # type: ignore[attr-defined]  # an object
    assert list(problems_of(results)) == []


def test_an_interval_with_zero_in_it_is_a_problem(runs: Runs) -> None:
    arm = next(iter(ONE_RATE))
    runs[arm] = [result(arm, seed, 40, 9) for seed in SEEDS]
    (problem,) = problems_of(summary(runs, SEEDS))
    assert problem.startswith(f"last blocks, two rates − {arm}: ")


def test_the_page_shows_arms_and_differences(runs: Runs) -> None:
    page = fine_tuning_page(summary(runs, SEEDS))
    assert "| last blocks, two rates | 0.5000 (0.5000, 0.5000) | 1.0000 (1.0000, 1.0000) |" in page
    assert f"| last blocks, two rates − {next(iter(FROZEN))} | **+0.7500 [" in page


def test_arms_with_two_rates_differ_from_those_with_one_in_nothing_else() -> None:
    for arm in ARMS.values():
        training = training_of(arm)
        if isinstance(arm, TunedArm):
            assert (training.epochs, training.token_dropout, training.feature_dropout) == (1, 0.5, 0.5)
            assert (training.learning_rate, training.backbone_learning_rate) == (arm.head, arm.body)
            assert (training.mode, training.last_layers) == ("head_then_last_layers", LAST_LAYERS)
        else:
            assert training.mode == "frozen"
