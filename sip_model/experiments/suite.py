"""Configuration of the kind `suite`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

from sip_model.experiments.config import BLOCK, require
from sip_model.experiments.kind_config import KindConfig
from sip_model.experiments.presets import ANALYSES, PresetName, Variant, preset_of

MAX_ANALYSES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainedBackbone:
    """A backbone that the suite pre-trains itself, once for each of its seeds."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    pretrain: Mapping[str, object]
    """The block `pretrain` of the kind of that name, for example ``{"size": "nano"}``."""

    @property
    def label(self) -> str:
        """What it is called in names: its size."""
        return f"own-{self.pretrain.get('size', 'default')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteBlock:
    """A matrix of experiments. What isn't given is the preset's."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    preset: PresetName | None = None
    """`ksc2023`, `layers`, `lengths`, `shots`, `classes`, `ngrams` or `honesty`; null: one experiment of
    every kind in `analyses` per backbone, dataset and seed."""
    backbones: tuple[str | PretrainedBackbone, ...] = ()
    """Backbone ids, and ``{"pretrain": {…}}`` for those the suite pre-trains itself."""
    datasets: tuple[str, ...] = ()
    """Ids or names of datasets; the ids they resolve to are stored. None: the experiment's `dataset`."""
    seeds: tuple[int, ...] = ()
    """One experiment per seed; it rotates the split."""
    analyses: tuple[Literal["train", "probe", "geometry", "perplexity"], ...] = ()
    """Which kinds of experiments; none: all the preset has, and `train` without one."""
    quick: bool = False
    """Fewer and smaller experiments, to try a preset out in minutes."""
    config: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Configuration blocks that go before the preset's, in every child whose kind has them, for example
    ``{"sources": {"limit": 20}}``."""

    def __post_init__(self) -> None:
        preset = preset_of(self.preset, quick=self.quick)
        if not self.backbones:
            own = (PretrainedBackbone(pretrain={"size": size}) for size in preset.pretrained_sizes)
            object.__setattr__(self, "backbones", (*preset.backbones, *own))
        if not self.seeds:
            object.__setattr__(self, "seeds", preset.seeds)
        if not self.analyses:
            object.__setattr__(self, "analyses", preset.default_analyses or tuple(preset.analyses))
        self._check()
        unknown = [kind for kind in self.analyses if kind not in preset.analyses]
        require(
            not unknown,
            f"analyses: expected some of {', '.join(preset.analyses)} for this preset, found {unknown}",
        )

    def _check(self) -> None:
        for name in ("backbones", "datasets", "seeds", "analyses"):
            values = getattr(self, name)
            require(len(values) <= 100, f"{name}: expected at most 100, found {len(values)}")
            twice = [value for place, value in enumerate(values) if value in values[:place]]
            require(not twice, f"{name}: expected each once, found one again")
        require(min(self.seeds) >= 0, f"seeds: expected numbers from 0, found {min(self.seeds)}")
        require(max(self.seeds) < 2**31, "seeds: expected numbers below 2^31, found a larger one")
        for backbone in self.backbones:
            is_fit = not isinstance(backbone, str) or 0 < len(backbone) <= 200
            require(is_fit, "backbones: expected ids of 1 to 200 characters, found another length")

    @property
    def variants(self) -> dict[str, tuple[Variant, ...]]:
        """Kind → what the preset varies, and the configuration blocks of each variant."""
        preset = preset_of(self.preset, quick=self.quick)
        return {kind: preset.analyses[kind] for kind in ANALYSES if kind in self.analyses}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteConfig(KindConfig):
    """Kind `suite`: a matrix backbones x datasets x seeds of experiments, run as its children."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    suite: SuiteBlock = field(default_factory=SuiteBlock)

    def queue(self) -> Literal["gpu", "cpu"]:
        """`cpu`: its children read the language models."""
        return "cpu"

    def datasets(self) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """Those of its children."""
        return tuple((("suite", "datasets", n), name) for n, name in enumerate(self.suite.datasets))

    def with_datasets(self, ids: tuple[str, ...]) -> Self:
        """The same on these datasets."""
        return replace(self, suite=replace(self.suite, datasets=ids))
