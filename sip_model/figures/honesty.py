"""The same identifier under every way to split, with the leak rate of each."""

from collections.abc import Sequence

from sip_model.figures.bars import draw_bars
from sip_model.figures.curves import FONT_POINTS, fitting_width, legend_below
from sip_model.figures.picture import Picture
from sip_model.figures.rows import Spread, Value, final, named, spreads
from sip_model.figures.style import new_figure, plain
from sip_model.figures.words import listed, seed_note, value_range

SERIES = {
    "eval/accuracy": "identifier",
    "eval/entity_masked_accuracy": "identifier, names and numbers masked",
    "baseline/lexical_accuracy": "lexical baseline",
    "baseline/lexical_entity_masked_accuracy": "lexical baseline, masked",
    "baseline/chance_accuracy": "chance",
}
LEAK = "data/leak_rate"
ORDER = ("block", "document", "given", "position")


def honesty(rows: Sequence[Value]) -> Picture | None:
    """One panel per corpus, one group of bars per split; None unless the study varies the split."""
    values = [
        row
        for row in final(named(rows, *SERIES, LEAK))
        if row.setting("split_by") is not None
        and row.setting("ngram") is None
        and (row.split in ("test", None) or row.name == LEAK)
    ]
    groups = spreads(
        values, lambda row: (row.dataset, str(row.setting("split_by")), SERIES.get(row.name, LEAK))
    )
    schemes = sorted(
        {scheme for _, scheme, _ in groups},
        key=lambda scheme: (ORDER.index(scheme) if scheme in ORDER else len(ORDER), scheme),
    )
    if len(schemes) < 2:
        return None
    series = [name for name in SERIES.values() if any(key[2] == name for key in groups)]
    corpora = list(dict.fromkeys(corpus for corpus, _, _ in groups))
    width = fitting_width(len(corpora), max(3.0, 0.36 * len(schemes) * len(series)))
    figure, panels = new_figure(1, len(corpora), panel_width=width, panel_height=3.2, share_y=True)
    for axes, corpus in zip(panels[0], corpora, strict=True):
        shown = {(scheme, name): spread for (data, scheme, name), spread in groups.items() if data == corpus}
        draw_bars(axes, schemes, series, shown)
        axes.set_xticks(range(len(schemes)), [_tick(scheme, shown.get((scheme, LEAK))) for scheme in schemes])
        axes.set_title(plain(corpus or ""), fontsize=FONT_POINTS)
    panels[0][0].set_ylabel("top-1 accuracy on the test part")
    panels[0][0].set_ylim(0, 1.08)
    legend_below(figure, panels)
    bars = [spread for key, spread in groups.items() if key[2] != LEAK]
    caption = (
        "One identifier under every way to split its texts. A split by position puts neighbouring pieces of "
        f"a document into training and test, so its scores are optimistic. {seed_note(bars)} The leak rate "
        "is the share of test chunks with a near-duplicate, or a neighbour in the same document, in training."
    )
    alt = (
        f"Accuracies by split ({listed(schemes)}) for {listed([str(name) for name in corpora])}, "
        f"{value_range(bars)}."
    )
    return Picture("honesty", "Accuracy under every split", figure, caption, alt)


def _tick(scheme: str, leak: Spread | None) -> str:
    return scheme if leak is None else f"{scheme}\nleak rate {leak.mean:.0%}"
