"""Draws of sources and chunks."""

import numpy as np

from sip_model.analysis.panels import draw_panel


def test_a_panel_holds_so_many_chunks_of_so_many_sources() -> None:
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 120))
    panel = draw_panel(groups, 4, 100, seed=0, number=2)
    assert panel.number == 2
    assert len(set(panel.sources)) == 4
    assert np.bincount(panel.labels).tolist() == [100] * 4
    assert np.all(np.diff(panel.rows) > 0)
    np.testing.assert_array_equal(np.array(panel.sources)[panel.labels], groups[panel.rows])


def test_where_sources_are_small_the_better_half_takes_part_with_what_it_has() -> None:
    groups = np.repeat(np.arange(10), [5, 5, 5, 5, 5, 20, 20, 20, 20, 40])
    for number in range(20):
        panel = draw_panel(groups, 3, 100, seed=0, number=number)
        assert min(panel.sources) >= 5
        assert np.bincount(panel.labels).tolist() == [20] * 3


def test_all_sources_can_be_drawn_when_no_others_are_there() -> None:
    panel = draw_panel(np.repeat([0, 2, 3], [30, 1, 8]), 3, 10, seed=0, number=0)
    assert panel.sources == (0, 2, 3)
    assert np.bincount(panel.labels).tolist() == [1, 1, 1]


def test_seed_and_number_decide() -> None:
    groups = np.repeat(np.arange(30), 20)
    draws = {
        (seed, number, classes): draw_panel(groups, classes, 10, seed, number)
        for seed in range(2)
        for number in range(2)
        for classes in (3, 4)
    }
    again = draw_panel(groups, 3, 10, 1, 1)
    np.testing.assert_array_equal(draws[1, 1, 3].rows, again.rows)
    assert len({panel.sources for panel in draws.values()}) == len(draws)
