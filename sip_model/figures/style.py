"""What all figures share: sizes, shades and markers that stay apart in grey, files that come out the same."""

import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    pass

MARKERS = ("o", "^", "s", "x", "D", "v", "+", "P")
"""One per class or curve, in this order; they stay apart without any colour."""
SHADES = ("#000000", "#8c8c8c", "#4d4d4d", "#b3b3b3", "#262626", "#999999", "#666666", "#bfbfbf")
"""One per class or curve, neighbours far apart in lightness; none so light that print loses it."""
DOTS_PER_INCH = 150


def styled() -> AbstractContextManager[None]:
    """Within the block, whatever is added to a figure (legends, text) has the style of all figures."""
    return mpl.rc_context(
        {
            "font.size": 8.0,
            "axes.titlesize": 9.0,
            "axes.titleweight": "bold",
            "figure.titlesize": 9.0,
            "axes.linewidth": 0.6,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "lines.linewidth": 1.0,
            "lines.markersize": 4.0,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "legend.frameon": False,
            "svg.hashsalt": "source-identification",
        }
    )


def new_figure(
    rows: int,
    columns: int,
    *,
    panel_width: float = 2.4,
    panel_height: float = 2.2,
    share_x: bool = False,
    share_y: bool = False,
) -> tuple[Figure, list[list[Axes]]]:
    """An empty figure and its panels, ``panels[row][column]``.

    Args:
        rows: of panels, 1 or more.
        columns: of panels, 1 or more.
        panel_width: inches.
        panel_height: inches.
        share_x: one scale of x for all panels.
        share_y: one scale of y for all panels.
    """
    with styled():
        figure = Figure(figsize=(panel_width * columns, panel_height * rows), layout="constrained")
        panels = figure.subplots(rows, columns, sharex=share_x, sharey=share_y, squeeze=False)
    return figure, [list(row) for row in panels]


def plain(text: str, max_characters: int = 40) -> str:
    """A name as it stands: never taken for mathematical notation, and shortened with an ellipsis."""
    short = text if len(text) <= max_characters else text[: max_characters - 1].rstrip() + "…"
    return short.replace("$", r"\$")


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``<name>.png`` and ``<name>.svg``; the same figure gives the same files: no date, no random ids.

    Args:
        figure: made by :func:`new_figure`.
        folder: it must be there.
        name: without an ending.

    Returns:
        The PNG's path and the SVG's.
    """
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    with styled(), warnings.catch_warnings():
        # a source's name may be in a script the font lacks: boxes in a legend are no reason to fail
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out: working it out again would double the time of each file
        figure.savefig(png, dpi=DOTS_PER_INCH, metadata={"Software": None})
        figure.savefig(svg, metadata={"Date": None})
    return png, svg
