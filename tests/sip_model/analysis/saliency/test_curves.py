"""Deletion and insertion curves."""

import numpy as np
import pytest
from scipy.special import logsumexp

from sip_model.analysis.saliency.curves import (
    SHARES,
    area,
    deletion_texts,
    insertion_texts,
    log_odds,
    log_odds_slope,
    ranking,
)

TEXT = "ab cde f"
OFFSETS = np.array([[0, 2], [3, 6], [7, 8]])
WEIGHTS = np.array([1.0, 5.0, 3.0])


def test_the_most_important_goes_first_and_comes_back_first() -> None:
    order = ranking(WEIGHTS)
    assert order.tolist() == [1, 2, 0]
    shares = (0.0, 1 / 3, 2 / 3, 1.0)
    assert deletion_texts(TEXT, OFFSETS, order, shares) == ["ab cde f", "ab  f", "ab  ", "  "]
    assert insertion_texts(TEXT, OFFSETS, order, shares) == ["  ", " cde ", " cde f", "ab cde f"]


def test_the_right_order_has_the_smallest_and_the_largest_area() -> None:
    """Of a value that is the sum of the weights of the tokens that are there."""
    of_token = dict(zip(("ab", "cde", "f"), WEIGHTS.tolist(), strict=True))

    def areas(order: list[int]) -> tuple[float, float]:
        curves = (
            [sum(of_token[word] for word in text.split()) for text in make(TEXT, OFFSETS, np.array(order))]
            for make in (deletion_texts, insertion_texts)
        )
        deletion, insertion = (float(area(np.array(curve))) for curve in curves)
        return deletion, insertion

    orders = [[a, b, c] for a in range(3) for b in range(3) for c in range(3) if {a, b, c} == {0, 1, 2}]
    found = {tuple(order): areas(order) for order in orders}
    best = tuple(ranking(WEIGHTS).tolist())
    assert min(found, key=lambda order: found[order][0]) == best
    assert max(found, key=lambda order: found[order][1]) == best
    assert area(np.ones(len(SHARES))) == pytest.approx(1)
    assert area(np.array([[0.0, 2.0], [1.0, 1.0]]), (0.0, 1.0)).tolist() == [1, 1]


def test_log_odds_are_against_all_other_sources() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 6))
    sources = np.array([0, 3, 5, 2])
    expected = [row[c] - logsumexp(np.delete(row, c)) for row, c in zip(logits, sources, strict=True)]
    np.testing.assert_allclose(log_odds(logits, sources), expected)


def test_their_slope_is_their_gradient() -> None:
    logits, step = np.random.default_rng(1).normal(size=7), 1e-6
    slope = log_odds_slope(logits, 4)
    assert slope.sum() == pytest.approx(0)
    moved = logits + step * np.eye(7)
    rows = np.full(7, 4)
    numeric = (log_odds(moved, rows) - log_odds(np.tile(logits, (7, 1)), rows)) / step
    np.testing.assert_allclose(slope, numeric, atol=1e-5)
