"""Configuration of the kind `classify`."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from sip_model.experiments.config import BLOCK, ChunkConfig, ModelChoice, require
from sip_model.experiments.kind_config import KindConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyConfig(KindConfig):
    """Kind `classify`: the source distribution of every document of a dataset (long ones by chunk)."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    classify: ModelChoice = field(default_factory=ModelChoice)
    chunk: ChunkConfig | None = None
    """Null: the model's own chunk length. Every chunk is classified; the limits per source don't apply."""
    top_k: int = 5
    """Sources kept per chunk."""

    def __post_init__(self) -> None:
        require(1 <= self.top_k <= 1000, f"top_k: expected 1 to 1000, found {self.top_k}")

    def model(self) -> tuple[str, str]:
        """The trained model."""
        return "classify", self.classify.model

    def with_model(self, id: str) -> Self:
        """The same with the model's id."""
        return replace(self, classify=ModelChoice(model=id))
