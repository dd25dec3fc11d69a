"""Training and validation loss of the identifiers, epoch by epoch."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from sip_model.figures.curves import FONT_POINTS, LINE_STYLES, fitting_width, legend_below
from sip_model.figures.picture import Picture
from sip_model.figures.rows import Spread, Value, backbones_by_size, named, spreads
from sip_model.figures.style import SHADES, new_figure, plain
from sip_model.figures.words import listed

LOSSES = {"train/loss": "training loss", "validation/loss": "validation loss"}
Groups = dict[tuple[str, str | None, str | None, int], Spread]


def identifier_loss(rows: Sequence[Value]) -> Picture | None:
    """A grid: training and validation loss, one column per corpus; None where no identifier was trained."""
    values = [row for row in named(rows, *LOSSES) if row.kind == "train" and row.step is not None]
    if not values:
        return None
    groups = spreads(values, lambda row: (row.name, row.dataset, row.backbone, row.step or 0))
    corpora = list(dict.fromkeys(row.dataset for row in values))
    backbones: list[str | None] = [*backbones_by_size(values)] or [None]
    measures = [name for name in LOSSES if any(key[0] == name for key in groups)]
    figure, panels = new_figure(
        len(measures),
        len(corpora),
        panel_width=fitting_width(len(corpora), 2.8),
        panel_height=2.2,
        share_x=True,
    )
    for line, measure in zip(panels, measures, strict=True):
        for axes, corpus in zip(line, corpora, strict=True):
            shown = {key: spread for key, spread in groups.items() if key[:2] == (measure, corpus)}
            _draw(axes, backbones, shown)
        line[0].set_ylabel(LOSSES[measure])
    for axes, corpus in zip(panels[0], corpora, strict=True):
        axes.set_title(plain(corpus or ""), fontsize=FONT_POINTS)
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    legend_below(figure, panels)
    caption = (
        "Loss of the identifiers while they are trained, mean over seeds and whatever else the study varies; "
        "later epochs are those of the runs that had not stopped early."
    )
    alt = f"{listed([LOSSES[name] for name in measures]).capitalize()} over epochs, one curve per backbone."
    return Picture("identifier-loss", "Identifiers: loss by epoch", figure, caption, alt)


def _draw(axes: Axes, backbones: Sequence[str | None], groups: Groups) -> None:
    for number, name in enumerate(backbones):
        points = {epoch: spread for (_, _, backbone, epoch), spread in groups.items() if backbone == name}
        if points:
            epochs = sorted(points)
            axes.plot(
                epochs,
                [points[epoch].mean for epoch in epochs],
                color=SHADES[number % len(SHADES)],
                linestyle=LINE_STYLES[number % len(LINE_STYLES)],
                linewidth=1.2,
                label=plain(name or "identifier"),
            )
