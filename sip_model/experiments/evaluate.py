"""Configuration of the kind `evaluate`."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from sip_model.experiments.config import BLOCK, ChunkConfig, ModelChoice
from sip_model.experiments.kind_config import KindConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig(KindConfig):
    """Kind `evaluate`: a trained model on a dataset.

    On the model's own dataset the chunks of its test part are used, never those it was trained or
    calibrated on; on any other dataset every chunk is used, and sources the model doesn't know are listed.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    evaluate: ModelChoice = field(default_factory=ModelChoice)
    chunk: ChunkConfig | None = None
    """Null: the model's own."""

    def model(self) -> tuple[str, str]:
        """The trained model."""
        return "evaluate", self.evaluate.model

    def with_model(self, id: str) -> Self:
        """The same with the model's id."""
        return replace(self, evaluate=ModelChoice(model=id))
