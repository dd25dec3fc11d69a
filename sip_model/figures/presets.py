"""What the presets vary one thing in: text length, training chunks per source, number of sources and loss."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from sip_model.figures.curves import (
    FONT_POINTS,
    Curve,
    counting_axis,
    draw_curve,
    fitting_width,
    legend_below,
)
from sip_model.figures.picture import Picture
from sip_model.figures.rows import Setting, Spread, Value, distinct, final, named, spreads
from sip_model.figures.style import new_figure, plain
from sip_model.figures.words import listed, seed_note, value_range

MEASURES = {
    "eval/accuracy": "identifier",
    "probe/linear/accuracy": "linear probe",
    "probe/nonlinear/accuracy": "non-linear probe",
    "baseline/lexical_accuracy": "lexical baseline",
    "baseline/chance_accuracy": "chance",
}
LOSSES: dict[Setting, str] = {"bce": "BCE", "ce": "CE", "binary_code": "binary code"}
Groups = dict[tuple[str | None, str, float], Spread]


@dataclass(frozen=True, slots=True)
class _Sweep:
    key: str
    name: str
    title: str
    label: str


LENGTHS = _Sweep("num_words", "lengths", "Accuracy by text length", "words per text (log)")
SHOTS = _Sweep("shots", "shots", "Accuracy by training chunks per source", "training chunks per source (log)")
CLASSES = _Sweep("num_sources", "classes", "Accuracy by number of sources and loss", "sources (log)")


def lengths(rows: Sequence[Value]) -> Picture | None:
    """Accuracy over the words of a text; None where the study doesn't vary them."""
    return _sweep(rows, LENGTHS)


def shots(rows: Sequence[Value]) -> Picture | None:
    """Accuracy over the training chunks per source; None where the study doesn't vary them."""
    return _sweep(rows, SHOTS)


def classes(rows: Sequence[Value]) -> Picture | None:
    """Accuracy over the number of sources, one curve per loss; None where the study doesn't vary them."""
    return _sweep(rows, CLASSES)


def _sweep(rows: Sequence[Value], sweep: _Sweep) -> Picture | None:
    values = [
        row
        for row in final(named(rows, *MEASURES))
        if isinstance(row.setting(sweep.key), int | float) and row.split in ("test", None)
    ]
    several_backbones = len(distinct(row.backbone for row in values)) > 1
    groups: Groups = spreads(
        values,
        lambda row: (
            row.dataset,
            _label(row, several_backbones),
            float(row.setting(sweep.key) or 0),
        ),
    )
    places = sorted({place for _, _, place in groups if place > 0})
    if len(places) < 2:
        return None
    corpora = list(dict.fromkeys(corpus for corpus, _, _ in groups))
    labels = _in_order(list(dict.fromkeys(label for _, label, _ in groups)))
    figure, panels = new_figure(
        1, len(corpora), panel_width=fitting_width(len(corpora), 3.0), panel_height=3.0, share_y=True
    )
    for axes, corpus in zip(panels[0], corpora, strict=True):
        _draw(axes, labels, {key: spread for key, spread in groups.items() if key[0] == corpus})
        counting_axis(axes, places, sweep.label)
        axes.set_title(plain(corpus or ""), fontsize=FONT_POINTS)
    # once all are drawn, for the scale they share follows no values after it
    panels[0][0].set_ylim(bottom=0)
    panels[0][0].set_ylabel("top-1 accuracy on the test part")
    legend_below(figure, panels)
    caption = f"{sweep.title}: {listed(labels)}. {seed_note(groups.values())}"
    alt = f"Accuracies {value_range(groups.values())} over {places[0]:g} to {places[-1]:g} {sweep.label}."
    return Picture(sweep.name, sweep.title, figure, caption, alt)


def _draw(axes: Axes, labels: Sequence[str], groups: Groups) -> None:
    for number, label in enumerate(labels):
        points = {place: spread for (_, name, place), spread in groups.items() if name == label}
        if points:
            draw_curve(axes, number, Curve(label, points))


def _label(row: Value, several_backbones: bool) -> str:
    parts = [MEASURES[row.name]]
    if row.name.startswith("baseline/"):
        return parts[0]
    loss = row.setting("loss")
    if loss is not None:
        parts.append(LOSSES.get(loss, str(loss)))
    if several_backbones and row.backbone is not None:
        parts.append(row.backbone)
    return ", ".join(parts)


def _in_order(labels: list[str]) -> list[str]:
    order = list(MEASURES.values())
    return sorted(labels, key=lambda label: order.index(label.split(", ")[0]))
