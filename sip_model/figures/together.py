"""Do perplexity, silhouette and probing tell the same story? Correlations, slopes and sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sip_model.analysis.association import Association, Point, associate
from sip_model.figures.rows import Value, deepest, final, named
from sip_model.figures.selection import probe_rows
from sip_model.figures.study import BackboneInfo, Study
from sip_model.figures.words import listed

LINEAR = "probe/linear/accuracy"
SILHOUETTE = "geometry/silhouette"
NAMES = {
    "lm/bits_per_byte": "bits per byte",
    "lm/perplexity": "perplexity",
    SILHOUETTE: "silhouette",
    LINEAR: "linear probe accuracy",
}
SIZES, CHECKPOINTS, SEEDS = "backbones", "checkpoints", "pre-training seeds"
POOLED = "all, level of each corpus removed"


@dataclass(frozen=True, slots=True)
class Together:
    """Two measures over one set of models, on one corpus or pooled."""

    models: str
    """`backbones`, `checkpoints` or `pre-training seeds`."""
    first: str
    second: str
    corpus: str
    found: Association


def measures(study: Study) -> dict[str, list[Value]]:
    """The rows of each measure, one layer per backbone: perplexity, silhouette, linear probe."""
    rows = [row for row in study.rows if not row.varied and row.dataset and row.backbone]
    language = named(rows, "lm/bits_per_byte") or named(rows, "lm/perplexity")
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
    return said


def _power(models: str, found: Sequence[Together]) -> str:
    least = min(one.found.num_models for one in found)
    most = max(one.found.num_models for one in found)
    count = str(least) if least == most else f"{least} to {most}"
    smallest = {one.found.smallest_p for one in found}
    if not any(one.found.can_be_significant for one in found):
        return (
            f"Across {models}: with {count} models no rank correlation can be significant; even a perfect "
            f"one has a two-sided exact p of {min(smallest):.3f}. Read the numbers as a description."
        )
    few = sorted({one.found.num_models for one in found if not one.found.can_be_significant})
    warning = (
        f" Comparisons of {listed([str(number) for number in few])} models can't be significant whatever "
        "their order."
        if few
        else ""
    )
    return (
        f"Across {models}: {count} models. The smallest p a perfect order could reach is "
        f"{min(smallest):.2g}.{warning}"
    )


def _sentence(one: Together) -> str:
    first, second = NAMES[one.first], NAMES[one.second]
    rho = one.found.spearman
    if math.isnan(rho):
        return f"{first.capitalize()} or {second} doesn't vary over the {one.models}."
    way = "higher" if rho > 0 else "lower"
    where = "with the level of each corpus removed" if one.corpus == POOLED else f"on {one.corpus}"
    strength = "goes with" if abs(rho) >= 0.5 else "goes only weakly with"
    interval = (
        f", 95 % of resamples between {one.found.spearman_low:.2f} and {one.found.spearman_high:.2f}"
        if not math.isnan(one.found.spearman_low)
        else ""
    )
    kind = "exact p" if one.found.exact else "permutation p"
    return (
        f"Over {one.found.num_models} {one.models} and {where}, higher {first} {strength} {way} {second} "
        f"(Spearman ρ = {rho:.2f}{interval}; {kind} = {one.found.p_value:.2g})."
    )


def _corpora(found: Sequence[Together]) -> set[str]:
    return {one.corpus for one in found}


def _points(first: Sequence[Value], second: Sequence[Value], blocks: dict[str, str]) -> list[Point]:
    """One point per model and corpus that has both measures."""
    both: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for side, rows in enumerate((first, second)):
        for row in rows:
            if row.backbone in blocks and row.dataset is not None:
                both.setdefault((row.backbone, row.dataset), ([], []))[side].append(row.value)
    return [
        Point(model, corpus, values[0], values[1], blocks[model])
        for (model, corpus), values in both.items()
        if values[0] and values[1]
    ]


def _model_sets(study: Study) -> dict[str, dict[str, str]]:
    """By what is compared: each model with the block within which it may be exchanged."""
    infos = {info.name: info for info in study.backbones}
    for row in study.rows:
        if row.backbone is not None:
            infos.setdefault(row.backbone, BackboneInfo(name=row.backbone))
    finals = [info for info in infos.values() if info.checkpoint_step is None]
    first_of = {_run(replace(info, pretraining_seed=None)): info for info in reversed(finals)}
    sets = {SIZES: {info.name: "" for info in first_of.values()}}
    sets[CHECKPOINTS] = _blocks_of(list(infos.values()), [_run(info) for info in infos.values()])
    sets[SEEDS] = _blocks_of(finals, [info.family for info in finals])
    return {name: blocks for name, blocks in sets.items() if blocks}


def _run(info: BackboneInfo) -> str:
    """What checkpoints of one pre-training run share."""
    return info.name if info.family is None else f"{info.family}, seed {info.pretraining_seed}"


def _blocks_of(infos: Sequence[BackboneInfo], blocks: Sequence[str | None]) -> dict[str, str]:
    """The models that share a block with another one."""
    return {
        info.name: block
        for info, block in zip(infos, blocks, strict=True)
        if block is not None and info.family is not None and list(blocks).count(block) > 1
    }
