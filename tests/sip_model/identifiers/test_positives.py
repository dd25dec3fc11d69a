"""Positives in compressed rows."""

import itertools

import numpy as np
import torch

from sip_model.identifiers.positives import Positives

LISTS = [np.array(row, dtype=np.int64) for row in ([3], [0, 2], [], [1, 2, 3])]
POSITIVES = Positives.from_lists(LISTS)


def test_pairs_name_the_position_and_each_source() -> None:
    rows, sources = POSITIVES.pairs(np.array([3, 2, 1]))
    assert rows.tolist() == [0, 0, 0, 2, 2]
    assert sources.tolist() == [1, 2, 3, 0, 2]


def test_taken_samples_are_renumbered() -> None:
    taken = POSITIVES.take(np.array([1, 1, 2, 0]))
    assert taken.counts.tolist() == [2, 2, 0, 1]
    assert taken.indices.tolist() == [0, 2, 0, 2, 3]


def test_joined_samples_keep_their_order() -> None:
    joined = Positives.joined([POSITIVES.take(np.array([0, 1])), POSITIVES.take(np.array([2, 3]))])
    assert joined.indptr.tolist() == POSITIVES.indptr.tolist()
    assert joined.indices.tolist() == POSITIVES.indices.tolist()


def test_a_prediction_is_right_when_any_of_the_sources_is_met() -> None:
    marked = POSITIVES.mark(np.array([[3, 0], [1, 2], [0, 0], [0, 3]]))
    assert marked.tolist() == [[True, False], [False, True], [False, False], [False, True]]


def test_the_index_of_a_batch_shares_each_sample_among_its_sources() -> None:
    index = POSITIVES.index(np.array([1, 3]), torch.device("cpu"))
    assert index.rows.tolist() == [0, 0, 1, 1, 1]
    assert index.columns.tolist() == [0, 2, 1, 2, 3]
    torch.testing.assert_close(index.weights, torch.tensor([1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3]))


def test_groups_have_the_sources_of_their_samples_each_once() -> None:
    positives = Positives.from_lists([np.array([2]), np.array([0, 2]), np.array([], np.int64), np.array([1])])
    grouped = positives.grouped(np.array([0, 1, 1, 2, 3]), np.array([3, 3, 0, 1, 3]), 5)
    rows = [grouped.indices[start:end].tolist() for start, end in itertools.pairwise(grouped.indptr)]
    assert rows == [[0, 2], [], [], [0, 1, 2], []]


def test_stored_arrays_give_the_same_again() -> None:
    positives = Positives.from_lists([np.array([2]), np.array([], np.int64), np.array([0, 1])])
    again = Positives.from_arrays(positives.arrays("runs"), "runs")
    assert again.indptr.tolist() == positives.indptr.tolist()
    assert again.indices.tolist() == positives.indices.tolist()
