"""Silhouette and probing accuracy by depth, one curve per backbone."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from sip_model.figures.curves import FONT_POINTS, Curve, draw_curve, fitting_width, legend_below
from sip_model.figures.picture import Picture
from sip_model.figures.rows import Spread, Value, backbones_by_size, distinct, final, named, spreads
from sip_model.figures.style import new_figure, plain
from sip_model.figures.words import listed, seed_note, value_range

MEASURES = {
    "probe/linear/accuracy": "linear probe accuracy",
    "probe/nonlinear/accuracy": "non-linear probe accuracy",
    "geometry/silhouette": "silhouette (cosine)",
}
Groups = dict[tuple[str, str | None, str | None, int], Spread]


def layers(rows: Sequence[Value]) -> Picture | None:
    """A grid: one row per measure, one column per corpus; None unless some backbone has two layers."""
    values = [
        row for row in final(named(rows, *MEASURES)) if row.layer is not None and row.split in ("test", None)
    ]
    groups = spreads(values, lambda row: (row.name, row.dataset, row.backbone, row.layer or 0))
    depths: dict[str | None, int] = {}
    for _, _, backbone, layer in groups:
        depths[backbone] = max(depths.get(backbone, 0), layer)
    if len({(backbone, layer) for _, _, backbone, layer in groups}) <= len(depths):
        return None
    measures = [name for name in MEASURES if any(key[0] == name for key in groups)]
    corpora = distinct(row.dataset for row in values)
    backbones = backbones_by_size(values)
    figure, panels = new_figure(
        len(measures),
        len(corpora),
        panel_width=fitting_width(len(corpora), 2.6),
        panel_height=2.2,
        share_x=True,
    )
    for line, measure in zip(panels, measures, strict=True):
        for axes, corpus in zip(line, corpora, strict=True):
            _draw(axes, backbones, depths, {k: v for k, v in groups.items() if k[:2] == (measure, corpus)})
        line[0].set_ylabel(MEASURES[measure])
        _share_scale(line)
    for axes, corpus in zip(panels[0], corpora, strict=True):
        axes.set_title(plain(corpus), fontsize=FONT_POINTS)
    for axes in panels[-1]:
        axes.set_xlabel("depth (layer / last layer)")
    legend_below(figure, panels)
    caption = (
        "Measures by layer; 0 is the embeddings, 1 the last layer, so that backbones of different depth lie "
        f"over each other. {seed_note(groups.values())}"
    )
    alt = (
        f"{listed([MEASURES[name] for name in measures]).capitalize()} over depth for {listed(corpora)}, "
        f"one curve for each of {listed(backbones)}; {value_range(groups.values())}."
    )
    return Picture("layers", "By layer", figure, caption, alt)


def _draw(axes: Axes, backbones: Sequence[str], depths: dict[str | None, int], groups: Groups) -> None:
    for number, name in enumerate(backbones):
        points = {
            layer / max(depths[backbone], 1): spread
            for (_, _, backbone, layer), spread in groups.items()
            if backbone == name
        }
        if points:
            draw_curve(axes, number, Curve(name, points))
    axes.set_xlim(-0.05, 1.05)


def _share_scale(line: Sequence[Axes]) -> None:
    """One scale of y for the panels of one measure."""
    low = min(axes.get_ylim()[0] for axes in line)
    high = max(axes.get_ylim()[1] for axes in line)
    for axes in line:
        axes.set_ylim(low, high)
    for axes in line[1:]:
        axes.tick_params(axis="y", labelleft=False)
