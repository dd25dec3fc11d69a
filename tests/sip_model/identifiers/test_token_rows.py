"""Which tokens and which label a row has."""

import numpy as np
import pytest

from sip_model.identifiers.token_rows import TokenRows, deal_positions
from tests.sip_model.identifiers.passages import SHARES, make_store

LENGTHS = [5, 1, 0, 4, 2, 6, 3]
PASSAGES = np.arange(len(LENGTHS))


def make_rows(ngram: int) -> TokenRows:
    """Every state says which passage and which place in it it is."""
    states = [[passage, place] for passage, length in enumerate(LENGTHS) for place in range(length)]
    return TokenRows(make_store(np.array(states, np.float32), LENGTHS), ngram)


@pytest.mark.parametrize("ngram", [1, 2, 3])
def test_a_passage_of_t_tokens_has_t_minus_n_plus_one_rows_each_labelled_with_it(ngram: int) -> None:
    rows = make_rows(ngram)
    numbers = rows.of(PASSAGES)
    whole = numbers[rows.are_whole(numbers)]
    expected = [
        (passage, first)
        for passage, length in enumerate(LENGTHS)
        for first in range(max(length - ngram + 1, 0))
    ]
    assert len(whole) == len(expected)
    states = rows.read(whole).float().reshape(len(whole), ngram, 2)
    labels = rows.passages(whole).tolist()
    for (passage, first), row, label in zip(expected, states.tolist(), labels, strict=True):
        assert label == passage
        assert row == [[passage, first + place] for place in range(ngram)]


def test_a_passage_shorter_than_a_row_repeats_its_first_token() -> None:
    rows = make_rows(3)
    numbers = rows.of(np.array([1, 2, 4]))
    assert rows.passages(numbers).tolist() == [1, 4]
    assert not rows.are_whole(numbers).any()
    assert rows.read(numbers).float().reshape(2, 3, 2).tolist() == [
        [[1, 0], [1, 0], [1, 0]],
        [[4, 0], [4, 0], [4, 1]],
    ]


def test_the_rows_of_some_passages_are_theirs_alone() -> None:
    rows = make_rows(2)
    every = rows.of(PASSAGES)
    some = rows.of(np.array([0, 3, 6]))
    assert some.tolist() == [row for row in every.tolist() if rows.passages(np.array([row]))[0] in (0, 3, 6)]


def test_positions_are_dealt_by_their_shares_and_the_seed() -> None:
    rows = np.arange(5, 1005)
    parts = deal_positions(rows, SHARES, seed=1)
    assert np.bincount(parts).tolist() == [600, 100, 100, 200]
    np.testing.assert_array_equal(parts, deal_positions(rows, SHARES, seed=1))
    assert (parts != deal_positions(rows, SHARES, seed=2)).any()
    assert np.count_nonzero(np.diff(parts.astype(int))) > 400  # neighbours part ways
