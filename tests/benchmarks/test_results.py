from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.picture import draw, save
from benchmarks.results import problems_of
from benchmarks.results_page import results_page
from benchmarks.runs import spread
from sip_model.analysis.bootstrap import PairedDifference
from tests.benchmarks.results_example import EXAMPLE, RUN, SPREAD


@pytest.fixture
def results() -> dict[str, Any]:
    return {
        "command": "python -m benchmarks.results",
        "seeds": [0, 1],
        "machine": {"processor": "one", "cores": 2, "memory_gib": 8, "system": "Linux", "python": "3.11"},
        "versions": {"torch": "2.0"},
        "corpora": {"books": EXAMPLE.as_json()},
    }


def test_the_page_shows_means_spreads_and_intervals(results: dict[str, Any]) -> None:
    page = results_page(results)
    assert f"| books | 0.550 ± {SPREAD:.3f} | 0.450 ± {SPREAD:.3f} | 0.350 ± {SPREAD:.3f} | 0.1000 |" in page
    assert "**+0.100 [+0.050, +0.150]**" in page
    assert "| books | 12 | 11 | 10 | 60, 61 | 9 | 9 | 20 |" in page


def test_neither_page_nor_file_holds_seconds(results: dict[str, Any]) -> None:
    assert "33.2" not in results_page(results)
    assert "seconds" not in results["corpora"]["books"]["runs"][0]


def test_a_single_seed_has_no_spread() -> None:
    assert spread([0.5]) is None
    assert spread([0.5, 0.6]) == pytest.approx(SPREAD)


def test_limits_and_intervals_that_hold_zero_are_named() -> None:
    assert list(problems_of({"books": EXAMPLE})) == []
    slow = replace(RUN, seconds=90.0, peak_memory_bytes=3 * 10**9)
    unsure = PairedDifference(mean=0.1, low=0.0, high=0.2)
    worse = replace(EXAMPLE, runs=[slow], pooled={"hybrid − backbone only": unsure})
    assert [problem.split(": ")[0] for problem in problems_of({"books": worse})] == [
        "books, hybrid, seed 0",
        "books, hybrid, seed 0",
        "books, hybrid − backbone only",
    ]


def test_the_same_numbers_make_the_same_picture(results: dict[str, Any], tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        save(draw(results["corpora"]), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
