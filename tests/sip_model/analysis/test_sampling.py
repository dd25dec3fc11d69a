"""Stratified samples."""

import numpy as np

from sip_model.analysis.sampling import FEW_PER_GROUP, stratified_sample


def test_few_samples_are_all_taken() -> None:
    assert stratified_sample(np.array([0, 1, 1, 0]), 4, seed=0).tolist() == [0, 1, 2, 3]


def test_groups_give_their_share_and_small_ones_two() -> None:
    groups = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3], [800, 190, 9, 1]))
    rows = stratified_sample(groups, 100, seed=0)
    assert np.all(np.diff(rows) > 0)
    counts = np.bincount(groups[rows])
    assert counts.sum() == 100
    assert counts[3] == 1
    assert counts[2] in (2, 3)
    assert 3.5 < counts[0] / counts[1] < 4.5


def test_of_too_many_groups_some_take_part_with_several_members_each() -> None:
    groups = np.repeat(np.arange(500), 20)
    rows = stratified_sample(groups, 200, seed=0)
    counts = np.bincount(groups[rows])
    assert set(counts.tolist()) == {0, FEW_PER_GROUP}
    assert len(rows) == 200


def test_the_seed_alone_decides() -> None:
    groups = np.repeat(np.arange(10), 50)
    first, again, other = (stratified_sample(groups, 100, seed).tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other
