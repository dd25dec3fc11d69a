"""Configuration blocks shared by the experiment kinds. Every default is the documented protocol's."""

from dataclasses import dataclass
from typing import ClassVar, Literal

Pooling = Literal["mean", "last", "cls"]
LayerChoice = Literal["last", "auto", "all"] | tuple[int, ...]
HeadName = Literal["linear", "tiny", "small", "medium", "large"]
LossName = Literal["bce", "ce", "binary_code"]
TrainingMode = Literal["frozen", "head_then_last_layers", "full"]

# Of the keys that only count where the backbone is trained.
TUNING_DEFAULTS: dict[str, int | float] = {
    "backbone_learning_rate": 5e-5,
    "backbone_epochs": 4,
    "accumulate": 1,
    "max_gradient_norm": 1.0,
    "token_dropout": 0.5,
    "feature_dropout": 0.5,
}

# Read by pydantic where a block meets the API; the docstrings become the descriptions of its schema.
BLOCK: dict[str, str | bool] = {"extra": "forbid", "use_attribute_docstrings": True}

OWN_BACKBONE = "bb_"
"""How the ids of backbones begin that were trained here."""


def require(condition: bool, message: str) -> None:
    """Raise ``ValueError(message)`` unless `condition`; the API reports it with the block it stands in."""
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneConfig:
    """Which language model reads the text, and what is taken from it."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    id: str = "minilm"
    """`minilm` (bundled), a configured local folder's name, a Hugging Face id on the allow-list, or the id
    (`bb_…`) of one that was trained here."""
    revision: str | None = None
    """Branch, tag or commit of a Hugging Face id; the commit it resolves to is stored with the result."""
    layers: LayerChoice = "last"
    """`last`; `auto` (four evenly spaced ones, embeddings and last included; for token-level identifiers the
    one at about 80 % of the depth); `all`; or layer numbers (0 = embeddings, L = last). Several layers are
    read side by side."""
    pooling: Pooling = "mean"
    """How token states become one vector: `mean`, `last` (decoders) or `cls` (encoders)."""
    max_tokens: int | None = None
    """Tokens read per text, special tokens included; null: all the backbone can read, at most 512."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the forward pass; `auto`: bfloat16 where the CPU or GPU has it, else float32."""

    def __post_init__(self) -> None:
        require(0 < len(self.id) <= 200, "id: expected 1 to 200 characters")
        if isinstance(self.layers, tuple):
            require(0 < len(self.layers) <= 64, "layers: expected 1 to 64 layer numbers")
            require(min(self.layers) >= 0, f"layers: expected numbers from 0, found {min(self.layers)}")
            require(len(set(self.layers)) == len(self.layers), "layers: expected each layer once")
        if self.max_tokens is not None:
            require(self.max_tokens >= 3, f"max_tokens: expected 3 or more, found {self.max_tokens}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkConfig:
    """How documents are cut into chunks, the samples of an experiment."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    num_words: int | None = None
    """Words (runs of non-space characters) per chunk; 32 unless `num_tokens` is given."""
    num_tokens: int | None = None
    """Tokens of the backbone's tokenizer per chunk, instead of `num_words`."""
    max_per_source: int = 100
    """Chunks kept per source, evenly spaced over its documents."""
    min_per_source: int = 10
    """A source with fewer chunks is left out and listed in the result."""
    train_per_source: int | None = None
    """Chunks of the training part kept per source, drawn with the seed; null: all. The other parts stay."""

    def __post_init__(self) -> None:
        require(
            self.train_per_source is None or self.train_per_source >= 1,
            f"train_per_source: expected 1 or more, found {self.train_per_source}",
        )
        require(
            self.num_words is None or self.num_tokens is None,
            "num_words, num_tokens: expected one of the two, found both",
        )
        if self.num_words is None and self.num_tokens is None:
            object.__setattr__(self, "num_words", 32)
        length = self.num_words if self.num_words is not None else self.num_tokens
        require(
            length is not None and 1 <= length <= 10_000, f"chunk length: expected 1 to 10000, found {length}"
        )
        require(self.max_per_source >= 1, f"max_per_source: expected 1 or more, found {self.max_per_source}")
        require(self.min_per_source >= 1, f"min_per_source: expected 1 or more, found {self.min_per_source}")
        require(
            self.min_per_source <= self.max_per_source,
            f"min_per_source: expected at most max_per_source ({self.max_per_source}), "
            f"found {self.min_per_source}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesConfig:
    """Which sources of the corpus take part."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    limit: int | None = None
    """How many sources at most; null: all that have `chunk.min_per_source` chunks."""
    select: Literal["largest", "first", "random"] = "largest"
    """Which ones when there are more: most chunks, first in the corpus, or drawn with the seed."""

    def __post_init__(self) -> None:
        require(self.limit is None or self.limit >= 2, f"limit: expected 2 or more, found {self.limit}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig:
    """How chunks are dealt to the parts train, validation, calibration and test."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    by: Literal["block", "document", "position", "given"] = "block"
    """`block`: contiguous blocks of each document, rotated by the seed; `document`: whole documents;
    `position`: random chunks, of a token-level identifier random tokens of all chunks (optimistic);
    `given`: the corpus' own `split` field."""
    train: float = 0.6
    """Share of the chunks."""
    validation: float = 0.1
    """Share of the chunks; early stopping and every other choice look here. On a frozen backbone they are
    learned from too, once the choices are made."""
    calibration: float = 0.1
    """Share of the chunks; calibration and the operating point of `known` are fitted here."""
    test: float = 0.2
    """Share of the chunks; every `eval/*` metric is measured here."""
    deduplicate: bool = True
    """Keep near-duplicates (MinHash) out of all parts but one."""

    def __post_init__(self) -> None:
        for name in ("train", "validation", "calibration", "test"):
            share = getattr(self, name)
            require(0 < share < 1, f"{name}: expected a share between 0 and 1, found {share}")
        total = self.train + self.validation + self.calibration + self.test
        require(
            abs(total - 1) < 1e-6, f"train + validation + calibration + test: expected 1, found {total:g}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierConfig:
    """The network that maps features to sources."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    features: Literal["hybrid", "backbone", "lexical"] = "hybrid"
    """What it reads: backbone features, hashed character and word n-grams, or both."""
    head: HeadName | tuple[int, ...] = "linear"
    """Hidden layer widths over backbone features: linear [], tiny [128], small [256, 128],
    medium [512, 256, 128], large [1024, 512, 256, 128], or widths of one's own."""
    loss: LossName = "bce"
    """`bce`: one-versus-all; `ce`: softmax cross-entropy; `binary_code`: BCE per bit of the source number."""
    ngram: Literal[1, 2, 3] | None = None
    """Token states in a row that one sample is made of; null: a chunk is a sample. A token-level identifier
    reads one layer of the backbone and no hashed n-grams: `features` becomes `backbone` with it."""

    def __post_init__(self) -> None:
        if self.ngram is not None:
            require(self.features != "lexical", "ngram: expected null where features is lexical")
            object.__setattr__(self, "features", "backbone")
        if isinstance(self.head, tuple):
            require(len(self.head) <= 8, f"head: expected at most 8 widths, found {len(self.head)}")
            require(all(1 <= w <= 16_384 for w in self.head), "head: expected widths from 1 to 16384")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How the identifier is trained."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    mode: TrainingMode = "frozen"
    """`frozen`: the backbone's weights stay as they are; `head_then_last_layers`: first the head on frozen
    features, then the head and the backbone's last blocks together; `full`: then the whole backbone."""
    epochs: int | None = None
    """Passes over the training part at most, of each branch on frozen features; null: 30, or 10 where
    `identifier.ngram` is set."""
    patience: int = 5
    """Epochs without a better validation loss before training stops."""
    batch_size: int = 64
    """Samples per step."""
    learning_rate: float = 1e-3
    """Adam's step size, of the head."""
    weight_decay: float = 0.01
    """Decoupled weight decay per step, as a fraction of the learning rate."""
    checkpoint_seconds: float = 30.0
    """Seconds between checkpoints."""
    backbone_learning_rate: float | None = None
    """Adam's step size for the backbone; 3e-4 where its last blocks are trained, 5e-5 where all of it is."""
    backbone_epochs: int | None = None
    """Passes over the training part at most while the backbone is trained; 4 where it is."""
    last_layers: int | None = None
    """Blocks that `head_then_last_layers` trains, up to the deepest layer read; 2 in that mode."""
    accumulate: int | None = None
    """Passes, at least, that a step of the backbone is dealt to: less memory, the same gradient; 1 where it
    is trained."""
    gradient_checkpointing: bool = False
    """Compute the backbone's activations twice instead of keeping them: less memory, more time."""
    max_gradient_norm: float | None = None
    """Gradients are scaled down to this norm while the backbone is trained; 1 where it is."""
    dropout: float | None = None
    """Share of activations dropped while the backbone is trained; null: what its configuration says."""
    token_dropout: float | None = None
    """Share of each text's tokens left out of a step while the backbone is trained, never the first and last
    one; 0.5 where it is."""
    feature_dropout: float | None = None
    """Share of the head's inputs dropped while the backbone is trained; 0.5 where it is."""

    def __post_init__(self) -> None:
        require(
            self.epochs is None or 1 <= self.epochs <= 10_000,
            f"epochs: expected 1 to 10000, found {self.epochs}",
        )
        require(self.patience >= 1, f"patience: expected 1 or more, found {self.patience}")
        require(1 <= self.batch_size <= 65_536, f"batch_size: expected 1 to 65536, found {self.batch_size}")
        require(0 < self.learning_rate <= 10, f"learning_rate: expected above 0, found {self.learning_rate}")
        require(0 <= self.weight_decay <= 10, f"weight_decay: expected 0 to 10, found {self.weight_decay}")
        require(
            self.checkpoint_seconds > 0,
            f"checkpoint_seconds: expected above 0, found {self.checkpoint_seconds}",
        )
        self._resolve_backbone()

    def _resolve_backbone(self) -> None:
        """Write out the defaults of the mode, or refuse what it doesn't use."""
        defaults = TUNING_DEFAULTS if self.mode != "frozen" else {}
        if self.mode == "head_then_last_layers":
            defaults = defaults | {"last_layers": 2, "backbone_learning_rate": 3e-4}
        require(
            self.mode != "frozen" or self.dropout is None,
            f"dropout: expected null where mode is frozen, found {self.dropout}",
        )
        for name in (*TUNING_DEFAULTS, "last_layers"):
            value = getattr(self, name)
            if name not in defaults:
                require(value is None, f"{name}: expected null where mode is {self.mode}, found {value}")
            elif value is None:
                object.__setattr__(self, name, defaults[name])
        if self.mode == "frozen":
            require(
                not self.gradient_checkpointing,
                "gradient_checkpointing: expected false where mode is frozen, found true",
            )
        for name in ("dropout", "token_dropout", "feature_dropout"):
            share = getattr(self, name)
            require(share is None or 0 <= share < 1, f"{name}: expected 0 or more and below 1, found {share}")
        for name, highest in (("backbone_learning_rate", 10), ("max_gradient_norm", 1e9)):
            value = getattr(self, name)
            require(value is None or 0 < value <= highest, f"{name}: expected above 0, found {value}")
        for name, most in (("backbone_epochs", 10_000), ("last_layers", 1000), ("accumulate", 65_536)):
            value = getattr(self, name)
            require(value is None or 1 <= value <= most, f"{name}: expected 1 to {most}, found {value}")

    @property
    def max_epochs(self) -> int:
        """`epochs`, or the number that null stands for where a sample is a chunk."""
        return 30 if self.epochs is None else self.epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """Which trained model a kind uses."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    model: str = "default"
    """A model's id, name, `name@version`, or `default`; the id it resolves to is stored."""
