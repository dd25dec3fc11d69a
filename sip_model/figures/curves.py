"""Curves with their spread, told apart by marker, line style and lightness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    FuncFormatter,
    LogLocator,
    NullFormatter,
    NullLocator,
)

from sip_model.figures.rows import Spread
from sip_model.figures.style import MARKERS, SHADES, plain

LINE_STYLES = ("-", "--", ":", "-.")
FONT_POINTS = 8.0
NARROWEST_FIGURE = 4.4
"""Inches."""
HANDLE_INCHES, LETTER_INCHES = 0.65, 0.062
"""What a legend's entry takes: its sample with the gaps, and each letter."""
CLOSEST_TICKS = 0.07
"""Share of the axis below which two tick labels would touch."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: x to mean and spread."""

    label: str
    points: Mapping[float, Spread]
    connected: bool = True
    """False for points that are no steps of one series."""
    hollow: bool = False
    """Whether the markers are drawn empty."""
    in_legend: bool = True


def draw_curve(axes: Axes, number: int, curve: Curve) -> None:
    """Draw a curve with whiskers of one standard deviation.

    Args:
        axes: to draw into.
        number: of the curve within its figure; says its marker, line style and shade.
        curve: one point or more.
    """
    shade, marker = SHADES[number % len(SHADES)], MARKERS[number % len(MARKERS)]
    xs = sorted(curve.points)
    axes.errorbar(
        xs,
        [curve.points[x].mean for x in xs],
        yerr=[curve.points[x].sd for x in xs],
        color=shade,
        marker=marker,
        markersize=4.5,
        markerfacecolor="white" if curve.hollow else shade,
        linestyle=LINE_STYLES[number % len(LINE_STYLES)] if curve.connected else "none",
        linewidth=1.0,
        elinewidth=0.8,
        capsize=2.0,
        label=plain(curve.label) if curve.in_legend else "_nolegend_",
    )


def draw_level(axes: Axes, number: int, label: str, spread: Spread) -> None:
    """Draw a horizontal line, for what doesn't depend on x: a baseline, the chance level.

    Args:
        axes: to draw into.
        number: 0 or 1; says its line style.
        label: for the legend.
        spread: where it lies; a band shows one standard deviation.
    """
    style = ((0, (6, 2)), (0, (1, 2)))[number % 2]
    axes.axhline(spread.mean, color="#666666", linestyle=style, linewidth=1.2, label=plain(label), zorder=1)
    if spread.sd:
        low, high = spread.mean - spread.sd, spread.mean + spread.sd
        axes.axhspan(low, high, color="#e6e6e6", linewidth=0, zorder=0)


def size_axis(axes: Axes, sizes: Sequence[int]) -> None:
    """Make x a logarithmic axis of parameter counts, with a tick at every size there is room for."""
    axes.set_xscale("log")
    _log_ticks(axes, sizes, [size_name(size) for size in sorted(set(sizes))])
    axes.set_xlabel("parameters without embeddings (log)")


def counting_axis(axes: Axes, values: Sequence[float], label: str) -> None:
    """Make x a logarithmic axis with a tick at every value there is room for."""
    axes.set_xscale("log")
    _log_ticks(axes, values, [f"{value:g}" for value in sorted(set(values))])
    axes.set_xlabel(label)


def size_name(num_parameters: int) -> str:
    """A parameter count with three digits: ``310k``, ``4.98M``, ``1.21B``."""
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if num_parameters >= unit:
            return f"{num_parameters / unit:.3g}{letter}"
    return str(num_parameters)


def plain_log_axis(axis: Axis) -> None:
    """A logarithmic axis that writes its numbers out: 200, not 2 × 10²."""
    axis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def fitting_width(columns: int, panel_width: float) -> float:
    """The panels' width in inches, wider where so few stand side by side that labels would not fit."""
    return max(panel_width, NARROWEST_FIGURE / columns)


def legend_below(figure: Figure, panels: Sequence[Sequence[Axes]]) -> None:
    """One legend for all panels, below them, in as many columns as fit; each label once, curves first."""
    entries: dict[str, Artist] = {}
    for row in panels:
        for axes in row:
            handles, labels = axes.get_legend_handles_labels()
            for handle, label in zip(handles, labels, strict=True):
                entries.setdefault(label, handle)
    if not entries:
        return
    ordered = sorted(entries, key=lambda label: not isinstance(entries[label], Container))
    longest = max(len(label) for label in ordered)
    room = int(figure.get_figwidth() / (HANDLE_INCHES + LETTER_INCHES * longest))
    figure.legend(
        [entries[label] for label in ordered],
        ordered,
        loc="outside lower center",
        ncols=max(1, min(room, len(ordered))),
        frameon=False,
        fontsize=FONT_POINTS,
        handlelength=3.0,
    )


def _log_ticks(axes: Axes, values: Sequence[float], names: Sequence[str]) -> None:
    places = sorted(set(values))
    span = places[-1] / places[0]
    kept: list[int] = []
    for number, place in enumerate(places):
        step = 1.0 if span == 1 else span**CLOSEST_TICKS
        if not kept or place / places[kept[-1]] > step:
            kept.append(number)
    axes.xaxis.set_major_locator(FixedLocator([places[number] for number in kept]))
    axes.xaxis.set_major_formatter(FixedFormatter([names[number] for number in kept]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
