"""The presets of the kind `suite`: which experiments each consists of, and what it varies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Blocks = Mapping[str, Mapping[str, object]]
"""Configuration blocks by name."""
Varied = Mapping[str, str | int]
Variant = tuple[Varied, Blocks]
"""What sets an experiment apart from its neighbours, as key and value, and the blocks that make it so."""
PresetName = Literal["ksc2023", "layers", "lengths", "shots", "classes", "ngrams", "honesty"]

ANALYSES = ("train", "probe", "geometry", "perplexity")
"""Kinds a suite may consist of, besides those it makes itself."""
BUNDLED = ("minilm",)
_PLAIN: tuple[Variant, ...] = (({}, {}),)

STUDY_SOURCES, STUDY_CHUNKS = 100, 100
STUDY_TOKENS = 300_000
"""Training tokens of each backbone that `ksc2023` pre-trains: minutes on one core."""
STUDY_VOCABULARY = 2048
"""Of those backbones: half the default, since the output layer over 4096 tokens costs the smallest more than
all its blocks."""
LENGTHS = (4, 8, 16, 32, 64)
SHOTS = (1, 2, 5, 10, 20, 50, 100)
SHOTS_CHUNKS = 200
"""Chunks per source: of 60 % for training, 100 are left once the gaps are taken out."""
CLASSES = (10, 30, 100, 300, 1000)
LOSSES = ("bce", "ce", "binary_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What a suite consists of unless it says otherwise."""

    analyses: Mapping[str, tuple[Variant, ...]]
    """Kind → its variants, each run per backbone, dataset and seed."""
    default_analyses: tuple[str, ...] | None = None
    """Those that are run unless some are named; None: all."""
    base: Blocks = field(default_factory=dict)
    """Blocks of all children whose kind has them; a variant's own go before them."""
    backbones: tuple[str, ...] = BUNDLED
    pretrained_sizes: tuple[str, ...] = ()
    """Sizes of the backbones that it pre-trains itself."""
    seeds: tuple[int, ...] = (0, 1, 2)


def preset_of(name: PresetName | None, *, quick: bool) -> Preset:
    """The preset of this name, or the plain matrix; `quick`: small enough to try it out in minutes."""
    if name is None:
        return Preset(
            analyses=dict.fromkeys(ANALYSES, _PLAIN),
            default_analyses=("train",),
            base=_sizes(quick),
            seeds=(0,),
        )
    return _PRESETS[name](quick)


def _sizes(quick: bool) -> Blocks:
    if not quick:
        return {}
    return {
        "sources": {"limit": 8},
        "chunk": {"max_per_source": 40},
        "training": {"epochs": 5},
        "pretrain": {"max_tokens": 30_000},
        "perplexity": {"max_tokens": 10_000},
    }


def _study(quick: bool) -> Blocks:
    study = {"sources": {"limit": STUDY_SOURCES}, "chunk": {"num_words": 32, "max_per_source": STUDY_CHUNKS}}
    return merged(study, _sizes(quick))


def _ksc2023(quick: bool) -> Preset:
    """SCIENCE.md, section 2: distributions of 3 and 4 classes, silhouettes, probes and perplexity over
    model sizes; one draw of classes and chunks per seed."""
    geometry = {"geometry": {"classes": [3, 4], "chunks_per_class": 40 if quick else 100, "seeds": 1}}
    budget = {
        "pretrain": {"max_tokens": STUDY_TOKENS, "vocab_size": STUDY_VOCABULARY},
        "perplexity": {"max_tokens": 50_000},
    }
    return Preset(
        # the suite's seeds vary what a probe's own would
        analyses={
            "probe": (({}, {"probe": {"seeds": 1}}),),
            "geometry": (({}, geometry),),
            "perplexity": _PLAIN,
        },
        base=merged(budget, _study(quick)),
        pretrained_sizes=("nano", "micro") if quick else ("nano", "micro", "mini", "small"),
        seeds=(0, 1) if quick else (0, 1, 2, 3, 4, 5),
    )


def _layers(quick: bool) -> Preset:
    """Probes and silhouettes of every layer."""
    return Preset(
        analyses={
            "probe": (({}, {"probe": {"layers": "all"}}),),
            "geometry": (({}, {"geometry": {"layers": "all"}}),),
        },
        base=_study(quick),
        seeds=_seeds(quick),
    )


def _lengths(quick: bool) -> Preset:
    """Identifiers of chunks of 4 to 64 words."""
    lengths = (8, 32) if quick else LENGTHS
    variants = tuple(({"num_words": words}, {"chunk": {"num_words": words}}) for words in lengths)
    return Preset(analyses={"train": variants}, base=_study(quick), seeds=_seeds(quick))


def _shots(quick: bool) -> Preset:
    """Identifiers that learn from 1 to 100 chunks per source."""
    base = merged(_study(quick), {"chunk": {"max_per_source": 60 if quick else SHOTS_CHUNKS}})
    variants = tuple(
        ({"shots": shots}, {"chunk": {"train_per_source": shots}}) for shots in ((1, 10) if quick else SHOTS)
    )
    return Preset(analyses={"train": variants}, base=base, seeds=_seeds(quick))


def _classes(quick: bool) -> Preset:
    """Identifiers of 10 to 1000 sources, under each loss."""
    variants: tuple[Variant, ...] = tuple(
        ({"num_sources": limit, "loss": loss}, {"sources": {"limit": limit}, "identifier": {"loss": loss}})
        for limit in ((3, 8) if quick else CLASSES)
        for loss in LOSSES
    )
    return Preset(analyses={"train": variants}, base=_study(quick), seeds=_seeds(quick))


def _ngrams(quick: bool) -> Preset:
    """Token-level identifiers of one to three states, split by blocks and, optimistically, by positions."""
    variants: tuple[Variant, ...] = tuple(
        ({"ngram": n, "split_by": by}, {"identifier": {"ngram": n}, "split": {"by": by}})
        for n in (1, 2, 3)
        for by in ("block", "position")
    )
    base = merged(_study(quick), {"backbone": {"layers": "auto"}, "training": {"weight_decay": 0.0}})
    return Preset(analyses={"train": variants}, base=base, seeds=_seeds(quick))


def _honesty(quick: bool) -> Preset:
    """One identifier under every split, with the leak rate, masked entities and the lexical baseline."""
    checks = {"leak_rate": True, "entity_masked": True}
    variants: tuple[Variant, ...] = tuple(
        ({"split_by": by}, {"split": {"by": by}, "honesty": checks})
        for by in ("block", "document", "position")
    )
    return Preset(analyses={"train": variants}, base=_study(quick), seeds=_seeds(quick))


def _seeds(quick: bool) -> tuple[int, ...]:
    return (0, 1) if quick else (0, 1, 2)


_PRESETS: dict[PresetName, Callable[[bool], Preset]] = {
    "ksc2023": _ksc2023,
    "layers": _layers,
    "lengths": _lengths,
    "shots": _shots,
    "classes": _classes,
    "ngrams": _ngrams,
    "honesty": _honesty,
}


def merged(*configs: Blocks) -> dict[str, dict[str, object]]:
    """Blocks with the keys of all of `configs`; of a key given twice the last counts."""
    blocks: dict[str, dict[str, object]] = {}
    for config in configs:
        for name, block in config.items():
            blocks[name] = {**blocks.get(name, {}), **block}
    return blocks
