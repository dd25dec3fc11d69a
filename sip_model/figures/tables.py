"""The values of a study as tables: mean ± standard deviation over seeds, with the number of seeds."""

import math
from collections.abc import Sequence

from sip_model.figures.curves import size_name
from sip_model.figures.markup import Markup
from sip_model.figures.page import number, table
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
from sip_model.figures.selection import probe_rows
from sip_model.figures.study import Study
from sip_model.figures.together import NAMES, Together

COLUMNS = {
    "lm/perplexity": "perplexity",
    "lm/bits_per_byte": "bits per byte",
    "geometry/silhouette": "silhouette (cosine)",
    "geometry/silhouette_null_mean": "its null",
    "geometry/silhouette_author": "silhouette by author",
    "geometry/silhouette_category": "silhouette by category",
    "geometry/centroid_author_correlation": "centroid distance and author, correlation",
    "geometry/centroid_category_correlation": "centroid distance and category, correlation",
    "probe/linear/accuracy": "linear probe",
    "probe/nonlinear/accuracy": "non-linear probe",
    "probe/linear/control": "linear control",
    "probe/nonlinear/control": "non-linear control",
    "eval/accuracy": "identifier",
    "baseline/lexical_accuracy": "lexical baseline",
    "baseline/chance_accuracy": "chance",
}
PER_CORPUS = ("baseline/lexical_accuracy", "baseline/chance_accuracy")
"""What no backbone has a part in; shown in every row of its corpus."""


def results_table(study: Study) -> Markup:
    """One row per corpus and backbone; empty where the matrix itself has no values."""
    values = _headline(study.main_rows)
    groups = spreads(values, lambda row: (row.dataset, row.backbone, row.name))
    baselines = spreads(
        [row for row in values if row.name in PER_CORPUS], lambda row: (row.dataset, None, row.name)
    )
    shown = [name for name in COLUMNS if any(key[2] == name for key in groups)]
    backbones = backbones_by_size(values)
    sizes = {row.backbone: row.num_parameters for row in values if row.num_parameters}
    rows = []
    for corpus in distinct(row.dataset for row in values):
        for backbone in backbones:
            own = {name: groups.get((corpus, backbone, name)) for name in shown}
            if not any(own.values()):
                continue
            cells = [
                _cell(own[name] or baselines.get((corpus, None, name)), name, study, backbone)
                for name in shown
            ]
            size = sizes.get(backbone)
            rows.append([backbone, corpus, size_name(size) if size else "–", *cells])
    if not rows:
        return Markup("")
    head = ["Backbone", "Corpus", "Parameters", *(COLUMNS[name].capitalize() for name in shown)]
    caption = (
        "Mean ± standard deviation over seeds (number of seeds); the last layer, or for probes the layer "
        "chosen on validation where several were probed. Accuracies on the test part."
    )
    return table(caption, head, rows, numbers=len(shown) + 1)


def varied_table(study: Study) -> Markup:
    """One row per combination of what a preset varies; empty where it varies nothing."""
    values = [row for row in final(named(study.rows, *COLUMNS)) if row.varied and row.split in ("test", None)]
    if not values:
        return Markup("")
    keys = list(dict.fromkeys(key for row in values for key, _ in row.varied))
    shown = [name for name in COLUMNS if any(row.name == name for row in values)]
    groups = spreads(values, lambda row: (row.dataset, row.backbone, row.varied, row.name))
    rows = [
        [
            corpus or "–",
            backbone or "–",
            *(_setting(dict(varied).get(key)) for key in keys),
            *(_spread(groups.get((corpus, backbone, varied, name))) for name in shown),
        ]
        for corpus, backbone, varied in dict.fromkeys(key[:3] for key in groups)
    ]
    head = ["Corpus", "Backbone", *keys, *(COLUMNS[name].capitalize() for name in shown)]
    caption = "Mean ± standard deviation over seeds (number of seeds), on the test part."
    return table(caption, head, rows, numbers=len(shown))


def association_table(found: Sequence[Together]) -> Markup:
    """One row per comparison; empty where there is none."""
    rows = [
        [
            f"{NAMES[one.first]}, {NAMES[one.second]}",
            one.models,
            one.corpus,
            str(one.found.num_models),
            f"{number(one.found.spearman)}{_interval(one.found.spearman_low, one.found.spearman_high)}",
            number(one.found.kendall),
            f"{number(one.found.p_value)}{'' if one.found.exact else ' (drawn)'}",
            number(one.found.smallest_p),
            f"{number(one.found.slope)}{_interval(one.found.slope_low, one.found.slope_high)}",
        ]
        for one in found
    ]
    measured = ["Models", "Spearman ρ", "Kendall τ", "p", "Smallest possible p", "Slope"]
    head = ["Measures", "Over", "Corpus", *measured]
    caption = (
        "Brackets: 95 % percentile intervals of 2,000 resamples of models and seeds; below four models none. "
        "p: two-sided, by permuting models, unadjusted. Slope: change of the second measure per unit of the "
        "first."
    )
    return table(caption, head, rows, numbers=6) if rows else Markup("")


def _headline(rows: Sequence[Value]) -> list[Value]:
    """The rows that stand in the table: one layer per backbone, the test part, last steps."""
    probes, _ = probe_rows(rows)
    others = final(named(rows, *(name for name in COLUMNS if not name.startswith("probe/"))))
    by_name: dict[str, list[Value]] = {}
    for row in others:
        if row.split in ("test", None):
            by_name.setdefault(row.name, []).append(row)
    return [row for values in by_name.values() for row in deepest(values)] + probes


def _cell(spread: Spread | None, name: str, study: Study, backbone: str) -> str:
    if spread is None and name.startswith("lm/") and backbone in study.encoders:
        return "n/a"
    return _spread(spread)


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    if spread.n == 1:
        return f"{number(spread.mean)} (1)"
    digits = _digits(spread)
    return f"{spread.mean:.{digits}f} ± {spread.sd:.{digits}f} ({spread.n})"


def _digits(spread: Spread) -> int:
    """Decimals for two significant digits of the deviation, at most four."""
    return max(0, min(4, 1 - math.floor(math.log10(spread.sd)))) if spread.sd else 3


def _setting(value: object) -> str:
    return "–" if value is None else str(value)


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f" [{number(low)}, {number(high)}]"
