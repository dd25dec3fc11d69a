"""Configuration of the kind `duplicates`."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sip_model.experiments.config import BLOCK, ChunkConfig, SourcesConfig, require
from sip_model.experiments.kind_config import KindConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatesBlock:
    """What is shown of what is found."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    listed: int = 50
    """Groups listed with examples, the largest first."""

    def __post_init__(self) -> None:
        require(1 <= self.listed <= 1000, f"listed: expected 1 to 1000, found {self.listed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatesConfig(KindConfig):
    """Kind `duplicates`: which chunks of a dataset are the same, or nearly, and which sources share them;
    reads no language model.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    duplicates: DuplicatesBlock = field(default_factory=DuplicatesBlock)

    def __post_init__(self) -> None:
        require(self.chunk.num_tokens is None, "chunk.num_tokens: expected num_words, no tokenizer is read")

    def queue(self) -> Literal["gpu", "cpu"]:
        """`cpu`: it runs no language model."""
        return "cpu"
