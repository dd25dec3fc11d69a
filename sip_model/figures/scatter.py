"""The three measures against each other, one point per backbone and corpus."""

from sip_model.figures.curves import Curve, draw_curve, legend_below
from sip_model.figures.picture import Picture
from sip_model.figures.rows import distinct, spreads
from sip_model.figures.study import Study
from sip_model.figures.style import new_figure
from sip_model.figures.together import NAMES, measures
from sip_model.figures.words import listed


def scatter(study: Study) -> Picture | None:
    """One panel per pair of measures; None unless two measures share three backbones."""
    values = measures(study)
    names = list(values)
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    means = {name: spreads(rows, lambda row: (row.dataset, row.backbone)) for name, rows in values.items()}
    shown = [pair for pair in pairs if len(means[pair[0]].keys() & means[pair[1]].keys()) >= 3]
    if not shown:
        return None
    corpora = distinct(row.dataset for rows in values.values() for row in rows)
    figure, panels = new_figure(1, len(shown), panel_width=3.0, panel_height=2.8)
    for axes, (first, second) in zip(panels[0], shown, strict=True):
        for number, corpus in enumerate(corpora):
            points = {
                spread.mean: means[second][key]
                for key, spread in means[first].items()
                if key[0] == corpus and key in means[second]
            }
            if points:
                draw_curve(axes, number, Curve(corpus, points, connected=False, hollow=True))
        axes.set_xlabel(NAMES[first])
        axes.set_ylabel(NAMES[second])
    legend_below(figure, panels)
    caption = (
        "Each point is one backbone on one corpus, mean over seeds; whiskers ± one standard deviation of the "
        "vertical measure. Points of different corpora are not comparable in level."
    )
    alt = (
        "Scatter plots of "
        + listed([f"{NAMES[second]} over {NAMES[first]}" for first, second in shown])
        + f", one marker per corpus ({listed(corpora)})."
    )
    return Picture("together", "Perplexity, silhouette and probing against each other", figure, caption, alt)
