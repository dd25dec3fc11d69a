"""Few chunks per source."""

import numpy as np

from sip_model.corpora.shots import draw_per_source

ONE_SOURCE_EACH = [np.array([number % 3]) for number in range(60)]
ALL = np.ones(60, np.bool_)


def test_each_source_has_as_many_as_asked_for_or_all_it_has() -> None:
    drawn = draw_per_source(ONE_SOURCE_EACH, ALL, 4, seed=0)
    assert np.bincount([number % 3 for number in np.flatnonzero(drawn)]).tolist() == [4, 4, 4]
    assert draw_per_source(ONE_SOURCE_EACH, ALL, 1000, seed=0).all()


def test_the_few_are_among_the_many_and_the_seed_turns_them() -> None:
    few, many = (draw_per_source(ONE_SOURCE_EACH, ALL, number, seed=0) for number in (3, 7))
    assert not np.any(few & ~many)
    assert np.any(few != draw_per_source(ONE_SOURCE_EACH, ALL, 3, seed=1))


def test_only_candidates_are_drawn() -> None:
    candidates = np.arange(60) >= 30
    drawn = draw_per_source(ONE_SOURCE_EACH, candidates, 5, seed=0)
    assert drawn.sum() == 15
    assert not drawn[:30].any()


def test_a_chunk_of_two_sources_counts_for_the_one_that_draws_it() -> None:
    positives = [np.array([0, 1]), np.array([1])]
    assert draw_per_source(positives, np.ones(2, np.bool_), 1, seed=0)[0]
