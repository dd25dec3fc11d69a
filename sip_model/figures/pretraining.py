"""Loss and perplexity while backbones are pre-trained, one curve per size."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from sip_model.figures.curves import (
    FONT_POINTS,
    LINE_STYLES,
    fitting_width,
    legend_below,
    plain_log_axis,
    size_name,
)
from sip_model.figures.picture import Picture
from sip_model.figures.rows import Spread, Value, backbones_by_size, named, spreads
from sip_model.figures.style import SHADES, new_figure, plain
from sip_model.figures.words import listed

SERIES = {
    "train/loss": "training loss (nats per token)",
    "train/perplexity": "training perplexity (log)",
    "validation/perplexity": "held-out perplexity (log)",
}
Groups = dict[tuple[str, str | None, str | None, int], Spread]


def pretraining(rows: Sequence[Value]) -> Picture | None:
    """A grid: one row per measure, one column per corpus; None where nothing was pre-trained."""
    steps = [row for row in named(rows, *SERIES) if row.step is not None]
    runs = {(row.backbone, row.dataset, row.seed) for row in steps if row.name.endswith("/perplexity")}
    values = [
        row
        for row in steps
        if row.kind in ("pretrain", None) and (row.backbone, row.dataset, row.seed) in runs
    ]
    if not values:
        return None
    groups = spreads(values, lambda row: (row.name, row.dataset, row.backbone, row.step or 0))
    measures = [name for name in SERIES if any(key[0] == name for key in groups)]
    corpora = list(dict.fromkeys(row.dataset for row in values))
    backbones = backbones_by_size(values)
    sizes = {row.backbone: row.num_parameters for row in values if row.num_parameters}
    labels = [f"{name} ({size_name(sizes[name])})" if name in sizes else name for name in backbones]
    figure, panels = new_figure(
        len(measures),
        len(corpora),
        panel_width=fitting_width(len(corpora), 3.2),
        panel_height=2.2,
        share_x=True,
    )
    for line, measure in zip(panels, measures, strict=True):
        for axes, corpus in zip(line, corpora, strict=True):
            shown = {key: spread for key, spread in groups.items() if key[:2] == (measure, corpus)}
            _draw(axes, list(zip(backbones, labels, strict=True)), shown)
            if measure.endswith("/perplexity"):
                axes.set_yscale("log")
                plain_log_axis(axes.yaxis)
        line[0].set_ylabel(SERIES[measure])
    for axes, corpus in zip(panels[0], corpora, strict=True):
        axes.set_title(plain(corpus or ""), fontsize=FONT_POINTS)
    for axes in panels[-1]:
        axes.set_xlabel("optimiser step")
    legend_below(figure, panels)
    seeds = max(spread.n for spread in groups.values())
    caption = f"Pre-training of {listed(labels)} (parameters without embeddings)." + (
        f" Means over {seeds} runs, bands ± one standard deviation." if seeds > 1 else " One run each."
    )
    alt = f"{listed([SERIES[name] for name in measures]).capitalize()} over steps, one curve per model size."
    return Picture("pretraining", "Pre-training: loss and perplexity by size", figure, caption, alt)


def _draw(axes: Axes, backbones: Sequence[tuple[str, str]], groups: Groups) -> None:
    for number, (name, label) in enumerate(backbones):
        points = {step: spread for (_, _, backbone, step), spread in groups.items() if backbone == name}
        if not points:
            continue
        steps = sorted(points)
        means = [points[step].mean for step in steps]
        shade = SHADES[number % len(SHADES)]
        style = LINE_STYLES[number % len(LINE_STYLES)]
        axes.plot(steps, means, color=shade, linestyle=style, linewidth=1.2, label=plain(label))
        if any(points[step].sd for step in steps):
            axes.fill_between(
                steps,
                [points[step].mean - points[step].sd for step in steps],
                [points[step].mean + points[step].sd for step in steps],
                color=shade,
                alpha=0.15,
                linewidth=0,
            )
