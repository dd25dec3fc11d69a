"""Configuration of the kind `train`."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sip_model.experiments.config import (
    BLOCK,
    BackboneConfig,
    ChunkConfig,
    IdentifierConfig,
    SourcesConfig,
    SplitConfig,
    TrainingConfig,
    require,
)
from sip_model.experiments.honesty import HonestyConfig
from sip_model.experiments.kind_config import KindConfig, Place, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(KindConfig):
    """Kind `train`: an identifier on frozen features, or with the backbone fine-tuned."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    identifier: IdentifierConfig = field(default_factory=IdentifierConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    honesty: HonestyConfig = field(default_factory=HonestyConfig)

    def __post_init__(self) -> None:
        require(
            self.training.mode == "frozen" or self.identifier.features != "lexical",
            "training.mode: expected frozen where identifier.features is lexical, "
            f"found {self.training.mode}",
        )

    def queue(self) -> Literal["gpu", "cpu"]:
        """`cpu` for n-grams alone."""
        return "cpu" if self.identifier.features == "lexical" else "gpu"

    def backbones(self) -> tuple[Place, ...]:
        """The one whose features are read."""
        return () if self.identifier.features == "lexical" else (Place(("backbone",), self.backbone),)

    def reading(self) -> Reading | None:
        """The chunks' features, unless n-grams are all it reads."""
        if self.identifier.features == "lexical":
            return None
        return Reading(self.backbone, self.chunk, self.sources)
