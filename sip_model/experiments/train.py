"""Configuration of the kind `train`."""

from dataclasses import dataclass, field, replace
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
from sip_model.experiments.evidence import EvidenceConfig
from sip_model.experiments.honesty import HonestyConfig
from sip_model.experiments.kind_config import KindConfig, Place, Reading

# Of a token-level identifier (arXiv 2407.12846): its training part has a sample per token, not per chunk.
TOKEN_EPOCHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(KindConfig):
    """Kind `train`: an identifier on frozen features or with the backbone fine-tuned, of chunks or, with
    `identifier.ngram`, of tokens."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    identifier: IdentifierConfig = field(default_factory=IdentifierConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    honesty: HonestyConfig = field(default_factory=HonestyConfig)
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)

    def __post_init__(self) -> None:
        training = self.training
        require(
            training.mode == "frozen" or self.identifier.features != "lexical",
            f"training.mode: expected frozen where identifier.features is lexical, found {training.mode}",
        )
        if self.identifier.ngram is not None:
            self._check_token_level()
            if training.epochs is None:
                training = replace(training, epochs=TOKEN_EPOCHS)
        object.__setattr__(self, "training", replace(training, epochs=training.max_epochs))

    def _check_token_level(self) -> None:
        layers = self.backbone.layers
        require(
            layers in ("last", "auto") or len(layers) == 1,
            f"backbone.layers: expected `last`, `auto` or one with identifier.ngram, found {layers}",
        )
        require(
            self.training.mode == "frozen",
            f"training.mode: expected frozen with identifier.ngram, found {self.training.mode}",
        )
        require(
            self.honesty == HonestyConfig(),
            "honesty: expected no checks with identifier.ngram, whose samples are tokens",
        )

    def chunk_split(self) -> SplitConfig:
        """How whole chunks are dealt. Positions are dealt among the tokens of all chunks, and those are the
        chunks that `block` leaves, so that both rules are tried on the same ones."""
        if self.identifier.ngram is not None and self.split.by == "position":
            return replace(self.split, by="block")
        return self.split

    def queue(self) -> Literal["gpu", "cpu"]:
        """`cpu` for n-grams alone."""
        return "cpu" if self.identifier.features == "lexical" else "gpu"

    def backbones(self) -> tuple[Place, ...]:
        """The one whose features are read."""
        return () if self.identifier.features == "lexical" else (Place(("backbone",), self.backbone),)

    def reading(self) -> Reading | None:
        """The chunks' features, unless n-grams are all it reads."""
        if self.identifier.features == "lexical" or self.identifier.ngram is not None:
            return None
        return Reading(self.backbone, self.chunk, self.sources)
