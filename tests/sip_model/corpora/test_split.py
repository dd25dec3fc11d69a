from typing import Literal

import numpy as np
import pytest

from sip_model.corpora.selection import Kept
from sip_model.corpora.split import CALIBRATION, LEFT_OUT, TEST, TRAIN, VALIDATION, PartArray, deal_parts
from sip_model.experiments.config import SplitConfig


def one_document(num_chunks: int, stride: int = 2) -> Kept:
    zeros = np.zeros(num_chunks, np.int64)
    return Kept(zeros, np.arange(num_chunks) * stride, zeros)


def short_documents(per_source: list[int]) -> Kept:
    """Documents of one chunk."""
    total = sum(per_source)
    return Kept(
        np.arange(total), np.zeros(total, np.int64), np.repeat(np.arange(len(per_source)), per_source)
    )


def counts(parts: PartArray) -> list[int]:
    return [int((parts == part).sum()) for part in range(4)]


def num_runs(parts: PartArray, part: int) -> int:
    """Stretches of a part on the circle that a document's two ends close."""
    is_part = parts == part
    return int((is_part & ~np.roll(is_part, 1)).sum())


@pytest.mark.parametrize("seed", range(6))
def test_blocks_are_contiguous_and_follow_the_shares(seed: int) -> None:
    parts = deal_parts(one_document(100), SplitConfig(), seed)
    assert counts(parts) == [60, 10, 10, 20]
    assert [num_runs(parts, part) for part in range(4)] == [1, 1, 2, 3]


def test_calibration_stands_as_far_from_learned_text_as_test() -> None:
    distances = np.array([distances_from_learned(seed) for seed in range(40)])
    assert distances[:6, 0] == pytest.approx(distances[:6, 1], rel=0.05)
    # where the document's ends fall between the two, a seed may differ
    assert distances[:, 0].mean() == pytest.approx(distances[:, 1].mean(), rel=0.08)


def distances_from_learned(seed: int) -> list[float]:
    """Means over the chunks of calibration and of test."""
    parts = deal_parts(one_document(100), SplitConfig(), seed)
    learned = np.flatnonzero(np.isin(parts, [TRAIN, VALIDATION]))
    return [
        float(np.abs(np.flatnonzero(parts == part)[:, None] - learned).min(axis=1).mean())
        for part in (CALIBRATION, TEST)
    ]


def test_the_seed_rotates_the_blocks_so_that_test_moves_over_the_whole_document() -> None:
    tested = [
        set(np.flatnonzero(deal_parts(one_document(100), SplitConfig(), seed) == TEST)) for seed in range(13)
    ]
    assert tested[0] == {*range(70, 75), *range(80, 90), *range(95, 100)}
    assert set.union(*tested) == set(range(100))
    assert not tested[0] & tested[1]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("num_chunks", [10, 11, 17, 100])
def test_text_that_is_learned_from_never_touches_other_parts(seed: int, num_chunks: int) -> None:
    parts = deal_parts(one_document(num_chunks, stride=1), SplitConfig(), seed)
    left, right = parts[:-1], parts[1:]
    touching = (left != right) & (left != LEFT_OUT) & (right != LEFT_OUT)
    is_held_out = np.isin(parts, [CALIBRATION, TEST])
    assert not np.any(touching & ~(is_held_out[:-1] & is_held_out[1:]))
    assert min(counts(parts)) >= 1


def test_the_gap_is_taken_from_the_larger_part() -> None:
    parts = deal_parts(one_document(100, stride=1), SplitConfig(), 0)
    assert counts(parts) == [59, 10, 10, 19]
    assert np.flatnonzero(parts == LEFT_OUT).tolist() == [59, 70]


def test_chunks_that_are_far_apart_need_no_gap() -> None:
    assert LEFT_OUT not in deal_parts(one_document(30), SplitConfig(), 3)


def test_short_documents_are_dealt_whole_close_to_the_shares_within_each_source() -> None:
    parts = deal_parts(short_documents([100] * 20), SplitConfig(), 0)
    for source in range(20):
        share = counts(parts[source * 100 : (source + 1) * 100])
        assert np.abs(np.array(share) - [60, 10, 10, 20]).max() <= 1


def test_the_shares_hold_on_average_for_sources_of_few_documents() -> None:
    parts = deal_parts(short_documents([2] * 4000), SplitConfig(), 0)
    np.testing.assert_allclose(np.array(counts(parts)) / 8000, [0.6, 0.1, 0.1, 0.2], atol=0.015)


@pytest.mark.parametrize("shares", [(0.6, 0.1, 0.1, 0.2), (0.3, 0.2, 0.2, 0.3)])
def test_every_source_of_short_documents_has_one_in_train(shares: tuple[float, float, float, float]) -> None:
    train, validation, calibration, test = shares
    split = SplitConfig(train=train, validation=validation, calibration=calibration, test=test)
    kept = short_documents([1, 2, 3, 5] * 50)
    parts = deal_parts(kept, split, 1)
    assert set(kept.strata[parts == TRAIN]) == set(range(200))


def test_a_short_document_beside_a_long_one_may_go_anywhere() -> None:
    long, short = one_document(20), 300
    kept = Kept(
        np.concatenate([long.documents, np.arange(1, short + 1)]),
        np.concatenate([long.chunks, np.zeros(short, np.int64)]),
        np.concatenate([long.strata, np.zeros(short, np.int64)]),
    )
    parts = deal_parts(kept, SplitConfig(), 0)
    assert counts(parts[20:]) == [180, 30, 30, 60]


def test_whole_documents_stay_together() -> None:
    documents = np.repeat(np.arange(40), 25)
    kept = Kept(documents, np.tile(np.arange(25), 40), documents % 2)
    parts = deal_parts(kept, SplitConfig(by="document"), 0)
    assert all(len(set(parts[documents == number])) == 1 for number in range(40))
    assert np.abs(np.array(counts(parts)) / 25 - [24, 4, 4, 8]).max() <= 2


def test_positions_are_dealt_at_random_within_each_source() -> None:
    parts = deal_parts(one_document(100, stride=1), SplitConfig(by="position"), 0)
    assert counts(parts) == [60, 10, 10, 20]
    assert num_runs(parts, TEST) > 8


@pytest.mark.parametrize("by", ["block", "document", "position"])
def test_the_same_seed_deals_the_same_and_another_seed_otherwise(
    by: Literal["block", "document", "position"],
) -> None:
    kept = short_documents([10] * 10)
    first, again, other = (deal_parts(kept, SplitConfig(by=by), seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_given_parts_are_kept_and_missing_ones_cut_out_of_train() -> None:
    kept = short_documents([100] * 4)
    given = np.tile(np.repeat([TRAIN, TEST], [80, 20]), 4).astype(np.uint8)
    parts = deal_parts(kept, SplitConfig(by="given"), 0, given)
    assert np.array_equal(parts == TEST, given == TEST)
    assert counts(parts) == [240, 40, 40, 80]


def test_only_the_missing_part_is_cut_out_of_train() -> None:
    given = np.repeat([TRAIN, VALIDATION, TEST], [70, 10, 20]).astype(np.uint8)
    parts = deal_parts(short_documents([100]), SplitConfig(by="given"), 0, given)
    assert counts(parts) == [60, 10, 10, 20]
    assert np.all(given[parts == CALIBRATION] == TRAIN)
