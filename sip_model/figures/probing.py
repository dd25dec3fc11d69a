"""Linear and non-linear probe accuracy against model size, beside baseline, control and chance."""

from collections.abc import Collection, Sequence

from matplotlib.axes import Axes

from sip_model.figures.curves import (
    FONT_POINTS,
    Curve,
    draw_curve,
    draw_level,
    fitting_width,
    legend_below,
    size_axis,
)
from sip_model.figures.picture import Picture
from sip_model.figures.rows import Spread, Value, backbones_by_size, distinct, final, named, spreads
from sip_model.figures.selection import PROBES, probe_rows
from sip_model.figures.style import new_figure, plain
from sip_model.figures.words import listed, missing_note, seed_note, value_range

LEVELS = {"baseline/lexical_accuracy": "lexical baseline", "baseline/chance_accuracy": "chance"}


def probing(rows: Sequence[Value], encoders: Collection[str] = ()) -> Picture | None:
    """One panel per corpus, both probes over the backbones' sizes; None where there is nothing to draw.

    Args:
        rows: of the study.
        encoders: names of the backbones that belong to no series of sizes; drawn hollow.
    """
    values, layer_note = probe_rows(rows)
    sized = [row for row in values if row.num_parameters and row.dataset is not None]
    groups = spreads(
        sized, lambda row: (row.name, row.dataset, row.backbone in encoders, row.num_parameters or 0)
    )
    if not groups:
        return None
    corpora = distinct(row.dataset for row in sized)
    levels = spreads(final(named(rows, *LEVELS)), lambda row: (row.name, row.dataset))
    figure, panels = new_figure(
        1, len(corpora), panel_width=fitting_width(len(corpora), 3.0), panel_height=3.0, share_y=True
    )
    for axes, corpus in zip(panels[0], corpora, strict=True):
        _draw_probes(axes, {key: spread for key, spread in groups.items() if key[1] == corpus})
        for number, (metric, label) in enumerate(LEVELS.items()):
            if (metric, corpus) in levels:
                draw_level(axes, number, label, levels[metric, corpus])
        size_axis(axes, [row.num_parameters or 0 for row in sized])
        axes.set_title(plain(corpus), fontsize=FONT_POINTS)
    # once all are drawn, for the scale they share follows no values after it
    panels[0][0].set_ylim(bottom=0)
    panels[0][0].set_ylabel("top-1 accuracy on the test part")
    legend_below(figure, panels)
    unsized = sorted(set(backbones_by_size(values)) - set(backbones_by_size(sized)))
    hollow = (
        f" Unconnected points: {listed(sorted(encoders))}, outside the series of sizes." if encoders else ""
    )
    absent = [label for metric, label in LEVELS.items() if not any(key[0] == metric for key in levels)]
    caption = (
        f"Accuracy of probes on frozen hidden states, {layer_note}. {seed_note(groups.values())}{hollow}"
        + missing_note(absent, "not measured")
        + missing_note(unsized, "size unknown")
    )
    alt = f"Panels for {listed(corpora)}; accuracies {value_range(groups.values())} over model size."
    return Picture("probing", "Probing accuracy, linear and non-linear", figure, caption, alt)


def _draw_probes(axes: Axes, groups: dict[tuple[str, str | None, bool, int], Spread]) -> None:
    for number, (metric, label) in enumerate(PROBES.items()):
        for outside in (False, True):
            points = {
                float(size): spread
                for (name, _, is_encoder, size), spread in groups.items()
                if name == metric and is_encoder == outside
            }
            if points:
                curve = Curve(label, points, connected=not outside, hollow=outside, in_legend=not outside)
                draw_curve(axes, number, curve)
