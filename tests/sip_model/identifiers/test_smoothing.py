"""Evidence smoothed along a text."""

from itertools import product

import numpy as np
import pytest
from scipy.special import softmax

from sip_model.identifiers.smoothing import Smoothing, UnitEvidence
from sip_model.identifiers.smoothing_fit import LabelledUnits, fit_smoothing

SOURCES, UNITS = 3, 5


def evidence(seed: int, num_units: int = UNITS, num_sources: int = SOURCES) -> UnitEvidence:
    generator = np.random.default_rng(seed)
    return UnitEvidence(
        generator.normal(size=(num_units, num_sources)), generator.choice([1.0, 2.0], num_units)
    )


def score(path: tuple[int, ...], of: UnitEvidence, penalty: float) -> float:
    total = sum(of.log_odds[unit, source] for unit, source in enumerate(path))
    changes = [unit for unit in range(1, len(path)) if path[unit] != path[unit - 1]]
    return float(total - penalty * sum(of.costs[unit] for unit in changes))


@pytest.mark.parametrize("seed", range(5))
def test_the_path_is_the_best_of_all(seed: int) -> None:
    of = evidence(seed)
    smoothing = Smoothing(penalty=0.7, scale=1.0, max_unknown=1.0)
    best = max(product(range(SOURCES), repeat=UNITS), key=lambda path: score(path, of, 0.7))
    assert tuple(smoothing.path(of).tolist()) == best


@pytest.mark.parametrize("seed", range(3))
def test_the_posterior_is_that_of_all_paths_together(seed: int) -> None:
    of, penalty, scale = evidence(seed), 1.3, 0.6
    found = Smoothing(penalty=penalty, scale=scale, max_unknown=1.0).posterior(of)
    # a change to the same source is one of the ways to stay
    total = np.zeros((UNITS, SOURCES))
    for path in product(range(SOURCES), repeat=UNITS):
        weight = np.exp(scale * sum(of.log_odds[unit, source] for unit, source in enumerate(path)))
        for unit in range(1, UNITS):
            jump = np.exp(-scale * penalty * of.costs[unit])
            weight *= jump + (path[unit] == path[unit - 1])
        for unit, source in enumerate(path):
            total[unit, source] += weight
    np.testing.assert_allclose(found, total / total.sum(axis=1, keepdims=True), rtol=1e-9)


def test_a_high_penalty_leaves_one_source_and_none_follows_every_unit() -> None:
    of = evidence(1, 20)
    never, always = (Smoothing(penalty=penalty, scale=1.0, max_unknown=1.0) for penalty in (1e6, 0.0))
    assert set(never.path(of).tolist()) == {int(of.log_odds.sum(axis=0).argmax())}
    np.testing.assert_array_equal(always.path(of), of.log_odds.argmax(axis=1))
    np.testing.assert_allclose(never.posterior(of), softmax(of.log_odds.sum(axis=0))[None].repeat(20, 0))


def labelled(seed: int, sources: list[int], signal: float) -> LabelledUnits:
    generator = np.random.default_rng(seed)
    right = np.array(sources)
    log_odds = generator.normal(size=(len(right), SOURCES))
    log_odds[np.arange(len(right)), right] += signal
    return LabelledUnits(UnitEvidence(log_odds, np.ones(len(right))), right)


def test_what_is_fitted_divides_new_texts_rightly() -> None:
    kinds = ([0] * 8 + [1] * 8, [2] * 5 + [0] * 11, [1] * 16)
    texts = [labelled(seed, kinds[seed % 3], 2.5) for seed in range(60)]
    smoothing = fit_smoothing(texts, 0)
    new = [labelled(1000 + seed, kinds[seed % 3], 2.5) for seed in range(60)]
    exact = np.mean([np.array_equal(smoothing.path(each.evidence), each.sources) for each in new])
    single = np.mean([np.array_equal(each.evidence.log_odds.argmax(axis=1), each.sources) for each in new])
    assert exact > 0.7
    assert exact > single + 0.2


def test_the_posterior_of_what_is_fitted_is_as_sure_as_it_is_right() -> None:
    kinds = ([0] * 8 + [1] * 8, [2] * 5 + [0] * 11, [1] * 16)
    smoothing = fit_smoothing([labelled(seed, kinds[seed % 3], 1.5) for seed in range(90)], 1)
    new = [labelled(1000 + seed, kinds[seed % 3], 1.5) for seed in range(90)]
    found = np.concatenate([smoothing.posterior(each.evidence) for each in new])
    right = np.concatenate([each.sources for each in new])
    assert found.max(axis=1).mean() == pytest.approx((found.argmax(axis=1) == right).mean(), abs=0.08)
