"""The values of a study as tables: mean ± standard deviation over seeds, with the number of seeds."""

import math
from collections.abc import Collection, Mapping, Sequence

from sip_model.figures.curves import size_name
from sip_model.figures.markup import Markup
from sip_model.figures.page import number, paragraph, table
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
from sip_model.figures.words import listed

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
    "eval/entity_masked_accuracy": "identifier, masked",
    "eval/token_accuracy": "identifier, per token",
    "baseline/lexical_accuracy": "lexical baseline",
    "baseline/lexical_entity_masked_accuracy": "lexical baseline, masked",
    "baseline/chance_accuracy": "chance",
    "data/leak_rate": "leak rate",
}
PER_CORPUS = (
    "baseline/lexical_accuracy",
    "baseline/lexical_entity_masked_accuracy",
    "baseline/chance_accuracy",
    "data/leak_rate",
)
"""What no backbone has a part in; shown in every row of its corpus."""
CELLS = "Mean ± standard deviation over seeds (number of seeds)"
Groups = Mapping[tuple[str | None, str | None, str], Spread]


def results_table(study: Study) -> list[Markup]:
    """One row per corpus and backbone; empty where the matrix itself has no values."""
    values = _headline(study.main_rows)
    groups = spreads(values, _place)
    shown = [name for name in COLUMNS if any(key[2] == name for key in groups)]
    sizes = {row.backbone: row.num_parameters for row in values if row.num_parameters}
    rows = []
    for corpus in distinct(row.dataset for row in values):
        for backbone in backbones_by_size(row for row in values if row.name not in PER_CORPUS):
            if not any((corpus, backbone, name) in groups for name in shown if name not in PER_CORPUS):
                continue
            size = sizes.get(backbone)
            cells = [_cell(groups, corpus, backbone, name, study.encoders) for name in shown]
            rows.append([backbone, corpus, size_name(size) if size else "–", *cells])
    if not rows:
        return []
    head = ["Backbone", "Corpus", "Parameters", *(_heading(name) for name in shown)]
    explained = paragraph(
        f"{CELLS}. Silhouettes of the last layer; probes of the layer chosen on the validation part where "
        "several were probed, else of the last. Accuracies are top-1 on the test part."
    )
    return [explained, table("By corpus and backbone", head, rows, numbers=len(shown) + 1)]


def varied_tables(study: Study) -> list[Markup]:
    """One table for each set of things that a preset varies; none where it varies nothing."""
    values = [row for row in final(named(study.rows, *COLUMNS)) if row.varied and row.split in ("test", None)]
    by_keys: dict[tuple[str, ...], list[Value]] = {}
    for row in values:
        by_keys.setdefault(tuple(key for key, _ in row.varied), []).append(row)
    tables = [_varied_table(keys, rows) for keys, rows in by_keys.items()]
    return [paragraph(f"{CELLS}, on the test part."), *tables] if tables else []


def _varied_table(keys: Sequence[str], values: Sequence[Value]) -> Markup:
    shown = [name for name in COLUMNS if any(row.name == name for row in values)]
    groups = spreads(values, lambda row: (*_place(row), row.varied))
    places = dict.fromkeys(
        (row.dataset, row.backbone, row.varied) for row in values if row.name not in PER_CORPUS
    )
    rows = [
        [
            corpus or "–",
            backbone or "–",
            *(str(setting) for _, setting in varied),
            *(
                _spread(groups.get((corpus, None if name in PER_CORPUS else backbone, name, varied)))
                for name in shown
            ),
        ]
        for corpus, backbone, varied in places
    ]
    head = ["Corpus", "Backbone", *keys, *(_heading(name) for name in shown)]
    return table(f"By {listed(list(keys))}", head, rows, numbers=len(shown))


def association_table(found: Sequence[Together]) -> list[Markup]:
    """One row per comparison; none where there is none."""
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
    explained = paragraph(
        "Brackets: 95 % percentile intervals of 2,000 resamples of models and seeds; below four models none. "
        "p: two-sided, by permuting models, unadjusted. Slope: change of the second measure per unit of the "
        "first."
    )
    return [explained, table("Comparisons", head, rows, numbers=6)] if rows else []


def _headline(rows: Sequence[Value]) -> list[Value]:
    """The rows that stand in the table: one layer per backbone, the test part, last steps."""
    probes, _ = probe_rows(rows)
    others = final(named(rows, *(name for name in COLUMNS if not name.startswith("probe/"))))
    by_name: dict[str, list[Value]] = {}
    for row in others:
        is_lumped = row.name.startswith("lm/") and row.kind == "pretrain"
        if row.split in ("test", None) and not is_lumped:
            by_name.setdefault(row.name, []).append(row)
    return [row for values in by_name.values() for row in deepest(values)] + probes


def _place(row: Value) -> tuple[str | None, str | None, str]:
    """Corpus, backbone and metric; what no backbone has a part in has none."""
    return row.dataset, None if row.name in PER_CORPUS else row.backbone, row.name


def _heading(name: str) -> str:
    return COLUMNS[name][0].upper() + COLUMNS[name][1:]


def _cell(groups: Groups, corpus: str, backbone: str, name: str, encoders: Collection[str]) -> str:
    spread = groups.get((corpus, None if name in PER_CORPUS else backbone, name))
    if spread is None and name.startswith("lm/") and backbone in encoders:
        return "n/a"
    return _spread(spread)


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    if spread.n == 1:
        return f"{number(spread.mean)} (1)"
    form = f".{_digits(spread)}f"
    return f"{number(spread.mean, form)} ± {number(spread.sd, form)} ({spread.n})"


def _digits(spread: Spread) -> int:
    """Decimals for two significant digits of the deviation, at most four."""
    return max(0, min(4, 1 - math.floor(math.log10(spread.sd)))) if spread.sd else 3


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f" [{number(low)}, {number(high)}]"
