"""Grids of points."""

from pathlib import Path

import numpy as np

from sip_model.figures.grid import Points, draw_grid
from sip_model.figures.style import save


def make_points(num_classes: int, seed: int, **about: object) -> Points:
    """Classes of 30 points each."""
    generator = np.random.default_rng(seed)
    labels = np.arange(30 * num_classes) % num_classes
    centres = generator.normal(0, 2, (num_classes, 2))
    xy = centres[labels] + generator.normal(0, 1, (len(labels), 2))
    return Points(xy=xy, labels=labels.tolist(), **about)  # type: ignore[arg-type]  # keyword by keyword


def test_rows_columns_units_and_scores_are_written_down() -> None:
    panels: list[list[Points | None]] = [
        [make_points(3, 0, silhouette=-0.25, explained=(0.4, 0.1)), None],
        [make_points(3, 1), make_points(3, 2)],
    ]
    figure = draw_grid(
        panels,
        row_names=["books", "articles"],
        column_names=["70m", "160m"],
        dimension_names=("PC 1", "PC 2"),
        title="3 sources",
    )
    first, empty, third, fourth = figure.axes
    assert (first.get_xlabel(), first.get_ylabel()) == ("PC 1 (40%)", "books\nPC 2 (10%)")
    assert (third.get_xlabel(), third.get_ylabel(), fourth.get_ylabel()) == ("PC 1", "articles\nPC 2", "")
    assert (first.get_title(), empty.get_title()) == ("70m", "160m")
    assert not empty.spines["left"].get_visible()
    assert [text.get_text() for text in first.texts] == ["silhouette −0.25"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["source 1", "source 2", "source 3"]


def test_classes_differ_in_marker_as_well_as_in_shade() -> None:
    figure = draw_grid([[make_points(8, 0)]], row_names=["books"], column_names=["70m"])
    lines = [line for line in figure.axes[0].lines if len(np.asarray(line.get_xdata()))]
    assert len({str(line.get_marker()) for line in lines}) == 8
    filled = [str(line.get_markerfacecolor()) for line in lines if line.get_marker() not in ("x", "+")]
    assert len(set(filled)) == len(filled) == 6


def test_points_that_were_fitted_on_are_faint_and_say_so() -> None:
    faint = [True, False, False] * 20
    figure = draw_grid([[make_points(2, 0, faint=faint)]], row_names=["books"], column_names=["70m"])
    assert {line.get_alpha() for line in figure.axes[0].lines} == {0.35, 0.85}
    sizes = {line.get_alpha(): 0 for line in figure.axes[0].lines}
    for line in figure.axes[0].lines:
        sizes[line.get_alpha()] += len(np.asarray(line.get_xdata()))
    assert sizes == {0.35: 20, 0.85: 40}
    assert figure.legends[0].get_texts()[-1].get_text() == "fitted on (faint)"


def test_sources_that_all_panels_share_are_named() -> None:
    names = ("Emma", "$ and $")
    figure = draw_grid(
        [[make_points(2, 0, sources=names), make_points(2, 1, sources=names)]],
        row_names=["books"],
        column_names=["70m", "160m"],
    )
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Emma", r"\$ and \$"]


def test_points_that_all_coincide_can_be_drawn(tmp_path: Path) -> None:
    points = Points(xy=np.zeros((6, 2)), labels=[0, 0, 0, 1, 1, 1])
    figure = draw_grid([[points]], row_names=["books"], column_names=["70m"])
    assert all(path.stat().st_size > 1000 for path in save(figure, tmp_path, "grid"))
