"""Do perplexity, silhouette and probing tell the same story? Correlations, slopes and sentences."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sip_model.analysis.association import Association, Point, associate
from sip_model.figures.page import number
from sip_model.figures.rows import Value, deepest, final, held_out, named
from sip_model.figures.selection import probe_rows
from sip_model.figures.study import Study
from sip_model.figures.words import listed

LINEAR = "probe/linear/accuracy"
SILHOUETTE = "geometry/silhouette"
NAMES = {
    "lm/bits_per_byte": "bits per byte",
    "lm/perplexity": "perplexity",
    SILHOUETTE: "silhouette",
    LINEAR: "linear probe accuracy",
}
SIZES, CHECKPOINTS, SEEDS = "backbones", "checkpoints within a run", "pre-training seeds within a size"
NEGLIGIBLE, CLEAR = 0.2, 0.5
"""Rank correlations below and from which a sentence says so."""
POOLED = "all, level of each corpus removed"


@dataclass(frozen=True, slots=True)
class Together:
    """Two measures over one set of models, on one corpus or pooled."""

    models: str
    """What the models are: `backbones`, `checkpoints within a run`, `pre-training seeds within
    a size`."""
    first: str
    second: str
    corpus: str
    found: Association


def measures(study: Study) -> dict[str, list[Value]]:
    """The rows of each measure, one layer per backbone: perplexity, silhouette, linear probe."""
    rows = [row for row in study.rows if not row.varied and row.dataset and row.backbone]
    language = held_out(rows, "lm/bits_per_byte") or held_out(rows, "lm/perplexity")
    chosen = {
        language[0].name if language else "lm/perplexity": final(language),
        SILHOUETTE: deepest(final(named(rows, SILHOUETTE))),
        LINEAR: [row for row in probe_rows(rows)[0] if row.name == LINEAR],
    }
    return {name: values for name, values in chosen.items() if values}


def together(study: Study) -> list[Together]:
    """Every pair of measures over backbones, checkpoints and pre-training seeds, from three of each on."""
    values = measures(study)
    names = list(values)
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    found = []
    for models, blocks in _model_sets(study).items():
        for first, second in pairs:
            for corpus, points in _by_corpus(_points(values[first], values[second], blocks)).items():
                association = associate(points)
                if association is not None:
                    found.append(Together(models, first, second, corpus, association))
    return found


def _by_corpus(points: Sequence[Point]) -> dict[str, list[Point]]:
    """The points of each corpus, then, where there are several, all of them."""
    corpora = dict.fromkeys(point.stratum for point in points)
    groups = {corpus: [point for point in points if point.stratum == corpus] for corpus in corpora}
    return groups | ({POOLED: list(points)} if len(groups) > 1 else {})


def sentences(found: Sequence[Together]) -> list[str]:
    """What the numbers do and don't say."""
    said = []
    for models in dict.fromkeys(one.models for one in found):
        mine = [one for one in found if one.models == models]
        said.append(_power(models, mine))
        said += [_sentence(one) for one in mine if one.corpus == POOLED or len(_corpora(mine)) == 1]
    if found:
        said.append(
            f"These are {len(found)} comparisons and their p-values are not adjusted for that; intervals "
            "resample the models at hand and their seeds. All of it describes these models: it is no "
            "evidence of a law over models in general, nor of a cause."
        )
    if any(one.models == SEEDS for one in found):
        said.append("A pre-training seed here also rotates the split, so both speak in its differences.")
    return said


def _power(models: str, found: Sequence[Together]) -> str:
    least = min(one.found.num_models for one in found)
    most = max(one.found.num_models for one in found)
    count = str(least) if least == most else f"{least} to {most}"
    smallest = {one.found.smallest_p for one in found}
    if not any(one.found.can_be_significant for one in found):
        return (
            f"{models.capitalize()}: with {count} models no rank correlation can be significant; even a "
            f"perfect one has a two-sided exact p of {min(smallest):.3f}. Read the numbers as a description."
        )
    few = sorted({one.found.num_models for one in found if not one.found.can_be_significant})
    warning = (
        f" Comparisons of {listed([str(number) for number in few])} models can't be significant whatever "
        "their order."
        if few
        else ""
    )
    return (
        f"{models.capitalize()}: {count} models. The smallest p a perfect order could reach is "
        f"{min(smallest):.2g}.{warning}"
    )


def _sentence(one: Together) -> str:
    first, second = NAMES[one.first], NAMES[one.second]
    rho = one.found.spearman
    if math.isnan(rho):
        return f"{one.models.capitalize()}: {first} or {second} doesn't vary."
    where = "with the level of each corpus removed" if one.corpus == POOLED else f"on {one.corpus}"
    low, high = one.found.spearman_low, one.found.spearman_high
    interval = "" if math.isnan(low) else f", 95 % of resamples {number(low, '.2f')} to {number(high, '.2f')}"
    kind = "exact p" if one.found.exact else "permutation p"
    return (
        f"{one.models.capitalize()} ({one.found.num_models} models), {where}: {_move(first, second, rho)} "
        f"(Spearman ρ = {number(rho, '.2f')}{interval}; {kind} = {one.found.p_value:.2g})."
    )


def _move(first: str, second: str, rho: float) -> str:
    if abs(rho) < NEGLIGIBLE:
        return f"{first} and {second} hardly move together"
    way = "higher" if rho > 0 else "lower"
    return f"higher {first} goes {'' if abs(rho) >= CLEAR else 'weakly '}with {way} {second}"


def _corpora(found: Sequence[Together]) -> set[str]:
    return {one.corpus for one in found}


def _points(first: Sequence[Value], second: Sequence[Value], blocks: "_Blocks") -> list[Point]:
    """One point per model and corpus that has both measures."""
    both: dict[tuple[str, str, str], tuple[list[float], list[float]]] = {}
    for side, rows in enumerate((first, second)):
        for row in rows:
            model, block = blocks(row)
            if model is not None and row.dataset is not None:
                both.setdefault((model, row.dataset, block), ([], []))[side].append(row.value)
    return [
        Point(model, corpus, values[0], values[1], block)
        for (model, corpus, block), values in both.items()
        if values[0] and values[1]
    ]


_Blocks = Callable[[Value], tuple[str | None, str]]
"""Which model a row belongs to (None: none that is compared), and among which it may be exchanged."""


def _model_sets(study: Study) -> dict[str, _Blocks]:
    """By what is compared."""
    runs = {info.name: info.checkpoint_of for info in study.backbones if info.checkpoint_of is not None}
    own = {info.name: info.pretraining_seeds for info in study.backbones if len(info.pretraining_seeds) > 1}

    def sizes(row: Value) -> tuple[str | None, str]:
        return (None if row.backbone in runs else row.backbone), ""

    def checkpoints(row: Value) -> tuple[str | None, str]:
        run = runs.get(row.backbone or "", row.backbone or "")
        return (row.backbone if run in runs.values() else None), run

    def seeds(row: Value) -> tuple[str | None, str]:
        if row.backbone is None or row.seed not in own.get(row.backbone, ()):
            return None, ""
        return f"{row.backbone}, seed {row.seed}", row.backbone

    return {SIZES: sizes, CHECKPOINTS: checkpoints, SEEDS: seeds}
