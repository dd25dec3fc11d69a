"""Grouped bars with whiskers, told apart by lightness and hatching."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from sip_model.figures.rows import Spread
from sip_model.figures.style import plain

FILLS = ("#666666", "#f2f2f2", "#b3b3b3", "#ffffff", "#404040", "#d9d9d9")
HATCHES = ("", "////", "", "....", "", "xxxx")
GROUP_WIDTH = 0.8
"""Of the distance between two groups."""


def draw_bars(
    axes: Axes,
    groups: Sequence[str],
    series: Sequence[str],
    spreads: Mapping[tuple[str, str], Spread],
) -> None:
    """Bars of each series side by side in each group; a missing value leaves its place empty.

    Args:
        axes: to draw into.
        groups: names along x.
        series: names for the legend.
        spreads: by (group, series); whiskers of one standard deviation, the mean written above.
    """
    width = GROUP_WIDTH / len(series)
    for number, name in enumerate(series):
        places = [place for place, group in enumerate(groups) if (group, name) in spreads]
        shown = [spreads[groups[place], name] for place in places]
        xs = [place + (number - (len(series) - 1) / 2) * width for place in places]
        axes.bar(
            xs,
            [spread.mean for spread in shown],
            width=0.92 * width,
            color=FILLS[number % len(FILLS)],
            hatch=HATCHES[number % len(HATCHES)],
            edgecolor="black",
            linewidth=0.6,
            label=plain(name),
        )
        axes.errorbar(
            xs,
            [spread.mean for spread in shown],
            yerr=[spread.sd for spread in shown],
            fmt="none",
            ecolor="black",
            elinewidth=0.9,
            capsize=2.0,
        )
        for x, spread in zip(xs, shown, strict=True):
            text = f"{spread.mean:.2g}" if spread.mean < 0.1 else f"{spread.mean:.2f}"
            axes.annotate(
                text,
                (x, spread.mean + spread.sd),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=6.0,
            )
    axes.set_xticks(range(len(groups)), [plain(group, 24) for group in groups])
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, len(groups) - 0.4)
