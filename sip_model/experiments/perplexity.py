"""Configuration of the kind `perplexity`."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from sip_model.experiments.config import (
    BLOCK,
    OWN_BACKBONE,
    BackboneConfig,
    ChunkConfig,
    SourcesConfig,
    SplitConfig,
    require,
)
from sip_model.experiments.kind_config import KindConfig, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PerplexityBlock:
    """Which text is read, and in what windows."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    context: int | None = None
    """Tokens of a window; null: all the backbone can read, at most 1024."""
    stride: int | None = None
    """Tokens by which windows follow one another; each is predicted from what comes before it in its window.
    Null: half of `context`."""
    part: Literal["all", "test"] | None = None
    """`all`: whole documents; `test`: the test part of the split, all of its text. Null: `test` for a
    backbone trained here (`bb_…`), which has read the rest, `all` for any other."""
    max_tokens: int | None = 200_000
    """Tokens read at most; null: all. Documents are taken in an order that spreads over the corpus, and the
    last one is cut short; `lm/tokens` says how many tokens were predicted."""

    def __post_init__(self) -> None:
        require(
            self.context is None or 2 <= self.context <= 131_072,
            f"context: expected 2 to 131072, found {self.context}",
        )
        require(self.stride is None or self.stride >= 1, f"stride: expected 1 or more, found {self.stride}")
        if self.context is not None and self.stride is not None:
            require(
                self.stride < self.context,
                f"stride: expected less than context ({self.context}), found {self.stride}",
            )
        require(
            self.max_tokens is None or self.max_tokens >= 2,
            f"max_tokens: expected 2 or more, found {self.max_tokens}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PerplexityConfig(KindConfig):
    """Kind `perplexity`: how well a causal backbone predicts the text of a corpus.

    Chunks, sources and split count with `part: "test"` only; with the same blocks and seed as an experiment
    of kind `pretrain` they give the text that it has held out.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    backbone: BackboneConfig = field(default_factory=lambda: BackboneConfig(id="EleutherAI/pythia-70m"))
    """Its layers and pooling have no meaning here."""
    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    perplexity: PerplexityBlock = field(default_factory=PerplexityBlock)

    def __post_init__(self) -> None:
        require(self.chunk.num_tokens is None, "chunk: expected num_words, found num_tokens")
        if self.perplexity.part is None:
            part: Literal["all", "test"] = "test" if self.backbone.id.startswith(OWN_BACKBONE) else "all"
            object.__setattr__(self, "perplexity", replace(self.perplexity, part=part))

    def backbones(self) -> tuple[Place, ...]:
        """The one that is asked."""
        return (Place(("backbone",), self.backbone, is_decoder=True),)
