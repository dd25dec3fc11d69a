"""Perplexity of causal backbones against their size, one curve per corpus."""

from collections.abc import Collection, Sequence

from sip_model.figures.curves import Curve, draw_curve, legend_below, plain_log_axis, size_axis
from sip_model.figures.picture import Picture
from sip_model.figures.rows import Value, backbones_by_size, distinct, final, held_out, spreads
from sip_model.figures.style import new_figure
from sip_model.figures.words import listed, missing_note, seed_note, value_range

UNITS = {"lm/perplexity": "perplexity per token (log)", "lm/bits_per_byte": "bits per byte"}
NAMES = {"lm/perplexity": "perplexity", "lm/bits_per_byte": "bits-per-byte"}


def perplexity(rows: Sequence[Value], metric: str, encoders: Collection[str] = ()) -> Picture | None:
    """One curve per corpus over the backbones' sizes; None where there is nothing to draw.

    Args:
        rows: of the study.
        metric: ``lm/perplexity`` or ``lm/bits_per_byte``.
        encoders: names of the backbones that can have no perplexity.
    """
    values = [row for row in final(held_out(rows, metric)) if row.dataset is not None]
    sized = [row for row in values if row.num_parameters]
    if not sized:
        return None
    groups = spreads(sized, lambda row: (row.dataset, row.num_parameters or 0))
    corpora = distinct(row.dataset for row in sized)
    figure, panels = new_figure(1, 1, panel_width=4.8, panel_height=3.4)
    axes = panels[0][0]
    for number, corpus in enumerate(corpora):
        points = {float(size): spread for (name, size), spread in groups.items() if name == corpus}
        draw_curve(axes, number, Curve(corpus, points))
    size_axis(axes, [size for _, size in groups])
    if metric == "lm/perplexity":
        axes.set_yscale("log")
        plain_log_axis(axes.yaxis)
    axes.set_ylabel(UNITS[metric])
    legend_below(figure, panels)
    unsized = sorted(set(backbones_by_size(values)) - set(backbones_by_size(sized)))
    shown = listed(backbones_by_size(sized))
    caption = (
        f"{UNITS[metric].removesuffix(' (log)').capitalize()} of {shown} on held-out documents of each "
        f"corpus, against the number of parameters. {seed_note(groups.values())}"
        + missing_note(sorted(encoders), "n/a for encoders")
        + missing_note(unsized, "size unknown")
    )
    alt = f"{len(corpora)} curves ({listed(corpora)}) over model size, {value_range(groups.values())}."
    title = (
        "Perplexity against model size" if metric == "lm/perplexity" else "Bits per byte against model size"
    )
    return Picture(NAMES[metric], title, figure, caption, alt)
