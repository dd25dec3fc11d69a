"""From a suite's configuration to its children: a pure function, so that a plan made again is the same."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from sip_model.errors import InvalidInputError
from sip_model.experiments.config import LayerChoice, SourcesConfig
from sip_model.experiments.features import FeaturesBlock, FeaturesConfig
from sip_model.experiments.kind_config import KindConfig, Reading
from sip_model.experiments.kinds import KINDS
from sip_model.experiments.presets import Blocks, merged, preset_of
from sip_model.experiments.suite import MAX_ANALYSES, PretrainedBackbone, SuiteBlock

MADE_BY = "exp:"
"""Before a child's name: in place of a backbone's id it stands for the one which that child makes."""
Resolve = Callable[[str, Blocks], KindConfig]
"""From a kind and configuration blocks to the kind's configuration; raises where they can't be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChild:
    """An experiment that a suite consists of."""

    name: str
    kind: str
    config: KindConfig
    seed: int
    dataset: str
    """Id."""
    backbone: str | None
    """Id, or ``exp:`` and the name of the child that makes it."""
    shown_backbone: str
    """What tables call it: its id, or what the suite calls one that it pre-trains for every seed."""
    needs: tuple[str, ...] = ()
    """Children before it that must have succeeded."""
    after: tuple[str, ...] = ()
    """Children before it that must be final."""
    varied: tuple[tuple[str, str | int], ...] = ()
    """What the preset varies, with its value here."""


@dataclass(frozen=True, slots=True)
class _Backbone:
    """One that the analyses of a seed read."""

    id: str
    label: str
    needs: tuple[str, ...]


def plan_children(
    suite: SuiteBlock, names: Mapping[str, str], resolve: Resolve, encoders: Collection[str] = ()
) -> list[PlannedChild]:
    """The children of a suite, each after those it needs: what it pre-trains, what fills the feature cache,
    and the analyses.

    Args:
        suite: with the ids of its datasets.
        names: dataset id → name.
        encoders: ids of backbones known not to be causal: no perplexity is measured of them.

    Raises:
        InvalidInputError: no dataset, no such kind, a block no child has, or too many experiments.
    """
    _check(suite)
    pretraining = [
        _pretraining(suite, backbone, seed, resolve)
        for backbone in suite.backbones
        if isinstance(backbone, PretrainedBackbone)
        for seed in suite.seeds
    ]
    analyses = [
        child
        for dataset in suite.datasets
        for seed in suite.seeds
        for backbone in _backbones(suite, seed)
        for child in _analyses(suite, backbone, dataset, names[dataset], seed, resolve, encoders)
    ]
    if not analyses:
        raise InvalidInputError(("suite",), "at least one experiment", "none for these backbones")
    shared = _shared_features(analyses, names)
    readers = {name: child.name for child, names in shared for name in names}
    analyses = [
        replace(child, needs=(*child.needs, readers[child.name])) if child.name in readers else child
        for child in analyses
    ]
    return [*pretraining, *(child for child, _ in shared), *analyses]


def _check(suite: SuiteBlock) -> None:
    if not suite.datasets:
        raise InvalidInputError(
            ("suite", "datasets"), "at least one dataset", "none", "Name some here, or one as `dataset`"
        )
    num_variants = sum(len(variants) for variants in suite.variants.values())
    num_analyses = len(suite.datasets) * len(suite.backbones) * len(suite.seeds) * num_variants
    if num_analyses > MAX_ANALYSES:
        raise InvalidInputError(("suite",), f"at most {MAX_ANALYSES} experiments", str(num_analyses))
    own = ["pretrain"] if any(isinstance(b, PretrainedBackbone) for b in suite.backbones) else []
    for place, kind in enumerate([*suite.analyses, *own]):
        if kind not in KINDS:
            loc = ("suite", "analyses", place) if place < len(suite.analyses) else ("suite", "backbones")
            raise InvalidInputError(loc, f"kinds among {', '.join(KINDS)}", repr(kind))
    blocks = {name for kind in (*suite.analyses, *own) for name in _blocks_of(kind)}
    for name in suite.config:
        if name not in blocks:
            raise InvalidInputError(
                ("suite", "config"), f"blocks among {', '.join(sorted(blocks))}", "another block"
            )


def _pretraining(
    suite: SuiteBlock, backbone: PretrainedBackbone, seed: int, resolve: Resolve
) -> PlannedChild:
    """Pre-training on the training parts of all datasets under this seed."""
    first, *others = suite.datasets
    also: Blocks = {"pretrain": {"also": others}} if others else {}
    return PlannedChild(
        name=_name("pretrain", backbone.label, f"s{seed}"),
        kind="pretrain",
        config=_resolved(suite, "pretrain", {"pretrain": dict(backbone.pretrain)}, also, resolve),
        seed=seed,
        dataset=first,
        backbone=None,
        shown_backbone=backbone.label,
    )


def _backbones(suite: SuiteBlock, seed: int) -> Iterable[_Backbone]:
    for backbone in suite.backbones:
        if isinstance(backbone, str):
            yield _Backbone(backbone, backbone, ())
        else:
            name = _name("pretrain", backbone.label, f"s{seed}")
            yield _Backbone(MADE_BY + name, backbone.label, (name,))


def _analyses(
    suite: SuiteBlock,
    backbone: _Backbone,
    dataset: str,
    dataset_name: str,
    seed: int,
    resolve: Resolve,
    encoders: Collection[str],
) -> Iterable[PlannedChild]:
    for kind, variants in suite.variants.items():
        if kind == "perplexity" and backbone.id in encoders:
            continue
        for varied, blocks in variants:
            settings = (f"{key}={value}" for key, value in varied.items())
            yield PlannedChild(
                name=_name(kind, backbone.label, dataset_name, *settings, f"s{seed}"),
                kind=kind,
                config=_resolved(suite, kind, blocks, {"backbone": {"id": backbone.id}}, resolve),
                seed=seed,
                dataset=dataset,
                backbone=backbone.id,
                shown_backbone=backbone.label,
                needs=backbone.needs,
                varied=tuple(sorted(varied.items())),
            )


def _resolved(suite: SuiteBlock, kind: str, blocks: Blocks, fixed: Blocks, resolve: Resolve) -> KindConfig:
    """The preset's blocks, the suite's own before them, and what is not to be changed before both."""
    base = preset_of(suite.preset, quick=suite.quick).base
    own, has = merged(base, blocks, suite.config, fixed), _blocks_of(kind)
    return resolve(kind, {name: block for name, block in own.items() if name in has})


def _blocks_of(kind: str) -> frozenset[str]:
    return frozenset(field.name for field in fields(KINDS[kind]))


def _shared_features(
    analyses: Sequence[PlannedChild], names: Mapping[str, str]
) -> list[tuple[PlannedChild, list[str]]]:
    """The children that fill the feature cache, each with the names of those that read what it leaves.

    There is one for all that read the same chunks in the same way, with every layer that any of them reads.
    Those of one backbone come one after the other, since what they read may overlap: no text goes through a
    backbone twice.
    """
    groups: dict[tuple[object, ...], list[tuple[PlannedChild, Reading]]] = {}
    for child in analyses:
        if (reading := child.config.reading()) is not None:
            chunk = replace(reading.chunk, train_per_source=None)
            backbone = replace(reading.backbone, layers="last")
            key = (child.backbone, child.dataset, backbone, chunk, reading.sources.select)
            groups.setdefault(key, []).append((child, reading))
    shared: list[tuple[PlannedChild, list[str]]] = []
    last_of: dict[str | None, str] = {}
    for group in groups.values():
        first = group[0][0]
        label = f"{first.backbone or ''}".removeprefix(MADE_BY)
        number = sum(child.backbone == first.backbone for child, _ in shared) + 1
        name = _name("features", label, names[first.dataset], str(number))
        before = last_of.get(first.backbone)
        child = PlannedChild(
            name=name,
            kind="features",
            config=_features_config(group),
            seed=first.seed,
            dataset=first.dataset,
            backbone=first.backbone,
            shown_backbone=first.shown_backbone,
            needs=first.needs,
            after=() if before is None else (before,),
        )
        last_of[first.backbone] = name
        shared.append((child, [reader.name for reader, _ in group]))
    return shared


def _features_config(group: Sequence[tuple[PlannedChild, Reading]]) -> FeaturesConfig:
    reading = group[0][1]
    layers: dict[LayerChoice, None] = dict.fromkeys(each.backbone.layers for _, each in group)
    first, *further = layers
    limits = [each.sources.limit for _, each in group]
    limit = None if None in limits else max(limit for limit in limits if limit is not None)
    return FeaturesConfig(
        backbone=replace(reading.backbone, layers=first),
        chunk=replace(reading.chunk, train_per_source=None),
        sources=SourcesConfig(limit=limit, select=reading.sources.select),
        features=FeaturesBlock(
            layers=tuple(further), seeds=tuple(sorted({child.seed for child, _ in group}))
        ),
    )


def _name(*parts: str) -> str:
    """A child's name; a model that it trains is called so too, and such names hold no / \\ or @."""
    return " ".join(parts).replace("/", "-").replace("\\", "-").replace("@", "-")
