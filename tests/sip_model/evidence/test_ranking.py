"""What counts how much when candidates are put in order."""

import numpy as np

from sip_model.evidence.ranking import NUM_SIGNALS, Ranking, in_order, quoted_words


def test_the_signal_that_tells_gets_the_weight() -> None:
    generator = np.random.default_rng(0)
    signals, right = [], []
    for _ in range(200):
        marks = np.arange(8) == generator.integers(8)
        values = generator.normal(size=(8, NUM_SIGNALS))
        values[:, 1] += 3 * marks
        signals.append(values)
        right.append(marks)
    weights = Ranking.fit(signals, right).weights
    assert weights[1] > 1
    assert max(weights[0], *weights[2:]) < 0.3
    assert min(weights) >= 0


def test_candidates_may_differ_in_number_and_some_texts_tell_nothing() -> None:
    signals = [np.ones((3, NUM_SIGNALS)), np.ones((5, NUM_SIGNALS)), np.ones((2, NUM_SIGNALS))]
    right = [np.array([True, False, False]), np.zeros(5, np.bool_), np.ones(2, np.bool_)]
    assert np.isfinite(Ranking.fit(signals, right).weights).all()
    assert Ranking.fit(signals[1:], right[1:]) == Ranking.unfitted()


def test_quotations_come_first_the_longest_at_the_top() -> None:
    shared = np.array([2, 9, 20, 0])
    quoted = quoted_words(shared, 30)
    assert quoted.tolist() == [0, 9, 20, 0]
    assert in_order(quoted, np.array([5.0, 1.0, 0.0, 9.0])).tolist() == [2, 1, 3, 0]


def test_all_words_of_a_short_text_are_a_quotation() -> None:
    assert quoted_words(np.array([5, 4]), 5).tolist() == [5, 0]
    assert quoted_words(np.array([2]), 2).tolist() == [0]
