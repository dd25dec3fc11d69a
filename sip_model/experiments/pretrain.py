"""Configuration of the kind `pretrain`."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

from sip_model.experiments.config import (
    BLOCK,
    BackboneConfig,
    ChunkConfig,
    SourcesConfig,
    SplitConfig,
    require,
)
from sip_model.experiments.kind_config import KindConfig, Place

SizeName = Literal["nano", "micro", "mini", "small"]


def _key(field_name: str) -> str:
    """A field's key in JSON: `from` is no name Python allows."""
    return field_name.rstrip("_")


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainBlock:
    """Which language model is trained, on how much text, and how."""

    __pydantic_config__: ClassVar[dict[str, object]] = {
        **BLOCK,
        "alias_generator": _key,
        "serialize_by_alias": True,
    }

    size: SizeName = "micro"
    """Parameters besides the embeddings: `nano` 0.34 M, `micro` 0.99 M, `mini` 2.67 M, `small` 5.53 M.
    Without meaning where `from` names a backbone."""
    vocab_size: int = 4096
    """Tokens of the byte-level BPE tokenizer, which is trained on the training text; with `from` that
    backbone's own is used."""
    context: int = 256
    """Tokens per sequence."""
    epochs: int = 1
    """Passes over the training text at most."""
    max_tokens: int | None = None
    """Training tokens in all, over all epochs; null: no limit but `epochs`."""
    from_: str | None = None
    """Id of a causal backbone that training goes on from; null: from scratch."""
    also: tuple[str, ...] = ()
    """Ids or names of further datasets; each is split as the first one is, and they are read as one text."""
    batch_tokens: int = 2048
    """Tokens per optimiser step."""
    accumulate: int = 1
    """Forward and backward passes per optimiser step: more need less memory for the same step."""
    learning_rate: float | None = None
    """AdamW's step size at its highest; null: by size, 4e-3 (nano), 3e-3, 2e-3, 1.5e-3 (small), and 3e-4
    with `from`."""
    weight_decay: float = 0.1
    """Decoupled weight decay of the weight matrices per step, as a fraction of the learning rate."""
    warmup: float = 0.05
    """Share of the steps over which the learning rate rises; after them it falls to a tenth as a cosine."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the passes (weights stay float32); `auto`: bfloat16 where it is faster, which is a GPU
    that has it or a CPU with matrix tiles (AMX)."""
    gradient_checkpointing: bool = False
    """Compute the states of each block again in the backward pass instead of keeping them."""
    checkpoint_seconds: float = 30.0
    """Seconds between checkpoints."""

    def __post_init__(self) -> None:
        require(
            512 <= self.vocab_size <= 65_536, f"vocab_size: expected 512 to 65536, found {self.vocab_size}"
        )
        require(16 <= self.context <= 32_768, f"context: expected 16 to 32768, found {self.context}")
        require(1 <= self.epochs <= 1000, f"epochs: expected 1 to 1000, found {self.epochs}")
        require(
            self.max_tokens is None or self.max_tokens >= self.context,
            f"max_tokens: expected at least one sequence of {self.context}, found {self.max_tokens}",
        )
        require(self.from_ is None or 0 < len(self.from_) <= 200, "from: expected 1 to 200 characters")
        require(len(self.also) <= 32, f"also: expected at most 32 datasets, found {len(self.also)}")
        require(len(set(self.also)) == len(self.also), "also: expected each dataset once")
        require(
            self.context * self.accumulate <= self.batch_tokens <= 2**24,
            f"batch_tokens: expected at least context x accumulate ({self.context * self.accumulate}) and at "
            f"most {2**24}, found {self.batch_tokens}",
        )
        require(1 <= self.accumulate <= 4096, f"accumulate: expected 1 to 4096, found {self.accumulate}")
        require(
            self.learning_rate is None or 0 < self.learning_rate <= 1,
            f"learning_rate: expected above 0 and at most 1, found {self.learning_rate}",
        )
        require(0 <= self.weight_decay <= 10, f"weight_decay: expected 0 to 10, found {self.weight_decay}")
        require(0 <= self.warmup < 1, f"warmup: expected a share from 0 to below 1, found {self.warmup}")
        require(
            self.checkpoint_seconds > 0,
            f"checkpoint_seconds: expected above 0, found {self.checkpoint_seconds}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainConfig(KindConfig):
    """Kind `pretrain`: a causal language model on the train part of a corpus, from scratch or continued.

    The split is that of `train` and `probe` with the same blocks and seed: no text of its validation,
    calibration and test parts is ever trained on.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    pretrain: PretrainBlock = field(default_factory=PretrainBlock)

    def __post_init__(self) -> None:
        require(
            self.chunk.num_tokens is None,
            "chunk: expected num_words, found num_tokens, and the tokenizer is still to be made",
        )

    def backbones(self) -> tuple[Place, ...]:
        """The one it goes on from."""
        if self.pretrain.from_ is None:
            return ()
        return (Place(("pretrain", "from"), BackboneConfig(id=self.pretrain.from_), is_decoder=True),)

    def datasets(self) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """The further datasets."""
        return tuple((("pretrain", "also", place), name) for place, name in enumerate(self.pretrain.also))

    def with_datasets(self, ids: tuple[str, ...]) -> Self:
        """The same with the datasets' ids."""
        return replace(self, pretrain=replace(self.pretrain, also=ids))
