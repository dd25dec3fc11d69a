"""Configuration of the kind `features`."""

from dataclasses import dataclass, field
from typing import ClassVar

from sip_model.experiments.config import (
    BLOCK,
    BackboneConfig,
    ChunkConfig,
    LayerChoice,
    SourcesConfig,
    require,
)
from sip_model.experiments.kind_config import KindConfig, Place, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesBlock:
    """What is read beside `backbone.layers`."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    layers: tuple[LayerChoice, ...] = ()
    """Further layers, as in `backbone.layers`; all are read in one pass."""
    seeds: tuple[int, ...] = (0,)
    """Seeds whose sources are read, where `sources.select` is `random`."""

    def __post_init__(self) -> None:
        require(0 < len(self.seeds) <= 1000, f"seeds: expected 1 to 1000, found {len(self.seeds)}")
        require(min(self.seeds) >= 0, f"seeds: expected numbers from 0, found {min(self.seeds)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesConfig(KindConfig):
    """Kind `features`: reads the chunks of a dataset with a backbone once and leaves what it read in the
    feature cache, for all experiments after it; suites make one for each backbone and dataset.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    features: FeaturesBlock = field(default_factory=FeaturesBlock)

    def backbones(self) -> tuple[Place, ...]:
        """The one that reads."""
        return (Place(("backbone",), self.backbone),)

    def reading(self) -> Reading | None:
        """The same chunks."""
        return Reading(self.backbone, self.chunk, self.sources)
