"""Curves with their spread, told apart by marker, line style and lightness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from sip_model.figures.rows import Spread
from sip_model.figures.style import MARKERS, SHADES, plain

LINE_STYLES = ("-", "--", ":", "-.")
FONT_POINTS = 8.0
CLOSEST_TICKS = 0.07
"""Share of the axis below which two tick labels would touch."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: x to mean and spread."""

    label: str
    points: Mapping[float, Spread]
    connected: bool = True
    """False for points that are no steps of one series; they are drawn hollow."""


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
        markerfacecolor=shade if curve.connected else "white",
        linestyle=LINE_STYLES[number % len(LINE_STYLES)] if curve.connected else "none",
        linewidth=1.0,
        elinewidth=0.8,
        capsize=2.0,
        label=plain(curve.label),
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


def legend_below(figure: Figure, panels: Sequence[Sequence[Axes]], columns: int = 4) -> None:
    """One legend for all panels, below them; each label once."""
    entries: dict[str, object] = {}
    for row in panels:
        for axes in row:
            handles, labels = axes.get_legend_handles_labels()
            for handle, label in zip(handles, labels, strict=True):
                entries.setdefault(label, handle)
    if entries:
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="outside lower center",
            ncols=min(columns, len(entries)),
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
