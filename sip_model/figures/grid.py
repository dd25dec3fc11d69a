"""Grids of the low-dimensional distribution: a panel of points for each row and column, by class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sip_model.figures.style import MARKERS, new_figure, plain, styled

Array = npt.NDArray[np.float64]

DIMENSION_NAMES = {
    "pca": ("PC 1", "PC 2"),
    "lda": ("LD 1", "LD 2"),
    "raw": ("dimension 1", "dimension 2"),
    "bottleneck": ("unit 1", "unit 2"),
    "umap": ("UMAP 1", "UMAP 2"),
}
"""What the axes are called, by projection."""
FACES = ("#000000", "none", "#c4c4c4", "none", "#7f7f7f", "#ffffff", "none", "#3f3f3f")
"""Fill of each class' marker: with its shape what tells the classes apart in grey."""
FAINT = 0.35
"""Opacity of chunks that the projection was fitted on, where that makes a difference."""
PERCENT_SHOWN = 0.5
"""A coordinate's percentiles below this and above 100 minus this may fall outside the panel."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """What one panel shows."""

    xy: Array
    """(n, 2) first and second dimension."""
    labels: Sequence[int]
    """(n,) class of each point, from 0."""
    silhouette: float | None = None
    """Of the points in the plane; written into the panel."""
    explained: tuple[float, float] | None = None
    """Share of the variance each dimension explains; written on the axes."""
    faint: Sequence[bool] | None = None
    """(n,) whether a point was fitted on, and is drawn faintly for it."""
    sources: Sequence[str] = ()
    """Names of the classes; a legend of the whole figure where all its panels agree on them."""


def draw_grid(
    panels: Sequence[Sequence[Points | None]],
    *,
    row_names: Sequence[str],
    column_names: Sequence[str],
    dimension_names: tuple[str, str] = ("first dimension", "second dimension"),
    title: str = "",
) -> Figure:
    """A grid of panels: in the study's figures columns are backbones by size and rows are corpora.

    Classes differ in marker and in shade, so that they can be told apart without colour. Every panel has its
    own scale, in units of the hidden states: those of different backbones can't be compared.

    Args:
        panels: ``panels[row][column]``; None leaves a place empty.
        row_names: written to the left of each row.
        column_names: written above each column.
        dimension_names: of the axes.
        title: above everything; empty: none.
    """
    figure, axes = new_figure(len(row_names), len(column_names), panel_width=2.1, panel_height=1.9)
    with styled():
        for row, (name, places) in enumerate(zip(row_names, panels, strict=True)):
            for column, points in enumerate(places):
                panel = axes[row][column]
                if points is None:
                    panel.set(xticks=[], yticks=[])
                    panel.spines[:].set_visible(False)
                    continue
                _draw_points(panel, points)
                x_name, y_name = _axis_names(points, dimension_names)
                panel.set_xlabel(x_name if points.explained or row == len(row_names) - 1 else "")
                panel.set_ylabel(y_name if points.explained or column == 0 else "")
            axes[row][0].set_ylabel(f"{plain(name)}\n{axes[row][0].get_ylabel()}")
        for column, name in enumerate(column_names):
            axes[0][column].set_title(plain(name))
        if title:
            figure.suptitle(plain(title, 120))
        _add_legend(figure, [points for places in panels for points in places if points is not None])
    return figure


def _draw_points(panel: Axes, points: Points) -> None:
    labels = np.asarray(points.labels)
    faint = np.zeros(len(labels), dtype=bool) if points.faint is None else np.asarray(points.faint)
    for label in np.unique(labels).tolist():
        for is_faint in (True, False):
            chosen = points.xy[(labels == label) & (faint == is_faint)]
            panel.plot(
                chosen[:, 0],
                chosen[:, 1],
                linestyle="none",
                alpha=FAINT if is_faint else 0.85,
                **_look(label),
            )
    _set_limits(panel, points.xy)
    panel.locator_params(nbins=4)
    if points.silhouette is not None:
        panel.text(
            0.98,
            0.98,
            f"silhouette {points.silhouette:.2f}".replace("-", "−"),
            transform=panel.transAxes,
            ha="right",
            va="top",
            fontsize=7,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.0},
        )


class Look(TypedDict):
    """How the markers of a class are drawn."""

    marker: str
    markersize: float
    markerfacecolor: str
    markeredgecolor: str
    markeredgewidth: float


def _look(label: int) -> Look:
    """Marker and shade of a class: filled, open, pale, crossed, and so on."""
    place = label % len(MARKERS)
    return {
        "marker": MARKERS[place],
        "markersize": 3.2,
        "markerfacecolor": FACES[place],
        "markeredgecolor": "#6e6e6e" if MARKERS[place] in ("x", "+") else "#222222",
        "markeredgewidth": 0.6,
    }


def _set_limits(panel: Axes, xy: Array) -> None:
    """Room for nearly all points; a few far ones would press the rest together."""
    low, high = np.percentile(xy, [PERCENT_SHOWN, 100 - PERCENT_SHOWN], axis=0)  # (2,)
    room = np.where(high > low, (high - low) * 0.08, 1.0)
    panel.set_xlim(low[0] - room[0], high[0] + room[0])
    panel.set_ylim(low[1] - room[1], high[1] + 2 * room[1])


def _axis_names(points: Points, names: tuple[str, str]) -> tuple[str, str]:
    if points.explained is None:
        return names
    x, y = (f"{name} ({share:.0%})" for name, share in zip(names, points.explained, strict=True))
    return x, y


def _add_legend(figure: Figure, panels: Sequence[Points]) -> None:
    """Which marker is which class; by name where the same sources are in all panels."""
    labels = sorted({label for points in panels for label in points.labels})
    names = {tuple(points.sources) for points in panels}
    shared = names.pop() if len(names) == 1 else ()
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            label=plain(shared[label]) if label < len(shared) else f"source {label + 1}",
            **_look(label),
        )
        for label in labels
    ]
    if any(points.faint is not None for points in panels):
        handles.append(Line2D([], [], linestyle="none", label="fitted on (faint)", alpha=FAINT, **_look(0)))
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5))
