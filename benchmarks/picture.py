"""docs/results.svg from benchmarks/results.json.

python -m benchmarks.picture
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.protocol import IDENTIFIERS

# Lightness and hatching tell the bars apart in print and for colour-blind readers.
FILLS = {"hybrid": "#666666", "lexical baseline": "#b3b3b3", "backbone only": "#f2f2f2", "chance": "#ffffff"}
HATCHES = {"hybrid": "", "lexical baseline": "", "backbone only": "////", "chance": ""}
BAR = 0.2
"""Width of a bar, in units of the distance between two corpora."""


def main() -> None:
    parser = argparse.ArgumentParser(description="The picture of the results.")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results.json"))
    parser.add_argument("--picture", type=Path, default=Path("docs/results.svg"))
    arguments = parser.parse_args()
    corpora = json.loads(arguments.json.read_text(encoding="utf-8"))["corpora"]
    save(draw(corpora), arguments.picture)


def save(figure: Figure, path: Path) -> None:
    """Write the picture; the same numbers give the same file: no date, no random ids."""
    with mpl.rc_context({"svg.hashsalt": "results"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def draw(corpora: dict[str, Any]) -> Figure:
    """Grouped bars of top-1 accuracy, one group per corpus; the whiskers span the seeds."""
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.subplots()
    for number, name in enumerate((*IDENTIFIERS, "chance")):
        _draw_bars(axes, number, name, [_by_seed(result, name) for result in corpora.values()])
    axes.set_xticks([place + 1.5 * BAR for place in range(len(corpora))], list(corpora))
    axes.tick_params(axis="x", length=0)
    axes.set_ylim(0, 1)
    axes.set_ylabel("top-1 accuracy on the test part")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure


def _draw_bars(axes: Axes, number: int, name: str, values: list[list[float]]) -> None:
    places = [place + number * BAR for place in range(len(values))]
    means = [sum(seeds) / len(seeds) for seeds in values]
    axes.bar(
        places,
        means,
        width=0.9 * BAR,
        color=FILLS[name],
        edgecolor="black",
        linewidth=0.6,
        hatch=HATCHES[name],
        label=name,
    )
    below = [mean - min(seeds) for mean, seeds in zip(means, values, strict=True)]
    above = [max(seeds) - mean for mean, seeds in zip(means, values, strict=True)]
    if name != "chance":
        axes.errorbar(
            places, means, yerr=[below, above], fmt="none", ecolor="black", elinewidth=1.2, capsize=3
        )
    for place, mean, up in zip(places, means, above, strict=True):
        axes.text(
            place,
            mean + up + 0.02,
            f"{mean:.2g}" if name == "chance" else f"{mean:.2f}",
            ha="center",
            fontsize=8,
        )


def _by_seed(result: dict[str, Any], name: str) -> list[float]:
    values: list[float] = result["chance"] if name == "chance" else result["top1"][name]["by_seed"]
    return values


if __name__ == "__main__":
    main()
