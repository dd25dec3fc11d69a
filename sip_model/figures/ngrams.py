"""Token-level identifiers of one, two and three successive states, split by block and by position."""

from collections.abc import Sequence

from sip_model.figures.bars import draw_bars
from sip_model.figures.curves import FONT_POINTS, fitting_width, legend_below
from sip_model.figures.picture import Picture
from sip_model.figures.rows import Value, final, named, spreads
from sip_model.figures.style import new_figure, plain
from sip_model.figures.words import listed, seed_note, value_range

NAMES = {1: "unigram", 2: "bigram", 3: "trigram"}
SPLITS = {"block": "split by block", "position": "split by position (optimistic)"}
CHANCE = "chance"


def ngrams(rows: Sequence[Value]) -> Picture | None:
    """One panel per corpus, one group of bars per n; None unless the study varies n."""
    by_token = named(rows, "eval/token_accuracy")
    scores = by_token or named(rows, "eval/accuracy")
    values = [
        row
        for row in final([*scores, *named(rows, "baseline/chance_accuracy")])
        if isinstance(row.setting("ngram"), int) and row.split in ("test", None)
    ]
    groups = spreads(values, lambda row: (row.dataset, int(row.setting("ngram") or 0), _series(row)))
    orders = sorted({n for _, n, _ in groups})
    if len(orders) < 2:
        return None
    series = [
        name for name in (*SPLITS.values(), "identifier", CHANCE) if any(key[2] == name for key in groups)
    ]
    corpora = list(dict.fromkeys(corpus for corpus, _, _ in groups))
    figure, panels = new_figure(
        1, len(corpora), panel_width=fitting_width(len(corpora), 3.2), panel_height=3.0, share_y=True
    )
    names = [NAMES.get(n, f"{n}-gram") for n in orders]
    for axes, corpus in zip(panels[0], corpora, strict=True):
        shown = {
            (NAMES.get(n, f"{n}-gram"), name): spread
            for (data, n, name), spread in groups.items()
            if data == corpus
        }
        draw_bars(axes, names, series, shown)
        axes.set_title(plain(corpus or ""), fontsize=FONT_POINTS)
    panels[0][0].set_ylabel(f"top-1 accuracy per {'token' if by_token else 'text'}, test part")
    panels[0][0].set_ylim(0, 1.08)
    legend_below(figure, panels)
    caption = (
        "Token-level identifiers that read n successive hidden states. Neighbouring states share their "
        f"prefix, so a split by position scores high without any source signal. {seed_note(groups.values())}"
    )
    alt = f"Accuracies of {listed(names)} identifiers by split, {value_range(groups.values())}."
    return Picture("ngrams", "Token-level identifiers by n", figure, caption, alt)


def _series(row: Value) -> str:
    if row.name == "baseline/chance_accuracy":
        return CHANCE
    return SPLITS.get(str(row.setting("split_by")), "identifier")
