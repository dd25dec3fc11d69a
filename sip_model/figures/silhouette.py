"""Silhouette scores per backbone and corpus, with the null of shuffled sources as a band."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from sip_model.figures.curves import FONT_POINTS, Curve, draw_curve, fitting_width, legend_below
from sip_model.figures.picture import Picture
from sip_model.figures.rows import (
    Spread,
    Value,
    backbones_by_size,
    deepest,
    distinct,
    final,
    named,
    spreads,
)
from sip_model.figures.style import new_figure, plain
from sip_model.figures.words import listed, missing_note, seed_note, value_range

SCORES = {
    "geometry/silhouette": "by source, cosine",
    "geometry/silhouette_euclidean": "by source, Euclidean",
    "geometry/silhouette_author": "by author, cosine",
    "geometry/silhouette_category": "by category, cosine",
}
NULL_MEAN, NULL_SD = "geometry/silhouette_null_mean", "geometry/silhouette_null_sd"
BAND_SDS = 2.0


def silhouette(rows: Sequence[Value]) -> Picture | None:
    """One panel per corpus, backbones side by side; None where there is nothing to draw."""
    values = deepest(final(named(rows, *SCORES, NULL_MEAN, NULL_SD)))
    groups = spreads(values, lambda row: (row.name, row.dataset, row.backbone))
    scores = {key: spread for key, spread in groups.items() if key[0] in SCORES}
    if not scores:
        return None
    corpora = distinct(row.dataset for row in values)
    backbones = backbones_by_size(row for row in values if row.name in SCORES)
    width = fitting_width(len(corpora), max(2.2, 0.5 * len(backbones) + 0.8))
    figure, panels = new_figure(1, len(corpora), panel_width=width, panel_height=3.0, share_y=True)
    for axes, corpus in zip(panels[0], corpora, strict=True):
        _draw_null(axes, backbones, corpus, groups)
        for number, (metric, label) in enumerate(SCORES.items()):
            points = {
                place + 0.18 * (number - 1): scores[metric, corpus, backbone]
                for place, backbone in enumerate(backbones)
                if (metric, corpus, backbone) in scores
            }
            if points:
                draw_curve(axes, number, Curve(label, points, connected=False))
        axes.set_title(plain(corpus), fontsize=FONT_POINTS)
        axes.set_xticks(
            range(len(backbones)), [plain(name, 24) for name in backbones], rotation=35, ha="right"
        )
        axes.set_xlim(-0.5, len(backbones) - 0.5)
        axes.axhline(0, color="#bfbfbf", linewidth=0.6, zorder=0)
    panels[0][0].set_ylabel("silhouette score (−1 to 1)")
    legend_below(figure, panels)
    has_null = any(key[0] == NULL_MEAN for key in groups)
    absent = [label for metric, label in SCORES.items() if not any(key[0] == metric for key in scores)]
    caption = (
        "Silhouette score of the centred hidden states of the last layer, per backbone (small to large) and "
        f"corpus. {seed_note(scores.values())}"
        + (" The grey band is the score of shuffled labels, ± 2 standard deviations." if has_null else "")
        + missing_note(absent, "not measured, or the corpus has no such labels")
    )
    alt = f"Panels for {listed(corpora)}, {len(backbones)} backbones each, {value_range(scores.values())}."
    return Picture("silhouette", "Silhouette score per backbone and corpus", figure, caption, alt)


def _draw_null(
    axes: Axes,
    backbones: Sequence[str],
    corpus: str,
    groups: dict[tuple[str, str | None, str | None], Spread],
) -> None:
    places, lows, highs = [], [], []
    for place, backbone in enumerate(backbones):
        mean, sd = groups.get((NULL_MEAN, corpus, backbone)), groups.get((NULL_SD, corpus, backbone))
        if mean is not None and sd is not None:
            places += [place - 0.4, place + 0.4, place + 0.4]
            lows += [mean.mean - BAND_SDS * sd.mean] * 2 + [float("nan")]
            highs += [mean.mean + BAND_SDS * sd.mean] * 2 + [float("nan")]
    if places:
        axes.fill_between(
            places, lows, highs, color="#d9d9d9", linewidth=0, zorder=0, label="shuffled labels, ± 2 sd"
        )
