"""What can be known of a backbone from its config.json, without its weights and without torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sip_model.errors import BackboneError

DECODERS = frozenset({"gpt2", "gpt_neo", "gpt_neox", "gptj", "llama", "mistral", "opt", "qwen2", "qwen3"})
ENCODERS = frozenset({"albert", "bert", "distilbert", "electra", "mpnet", "roberta", "xlm-roberta"})

# These count positions from padding_idx + 1, so two of their position embeddings are never used.
POSITIONS_FROM_TWO = frozenset({"mpnet", "roberta", "xlm-roberta"})

# Read unless a configuration asks for more or less: short enough for a full batch of any backbone.
DEFAULT_MAX_TOKENS = 512

MAX_CONFIG_BYTES = 1 << 20

SENTENCE_CONFIG = "sentence_bert_config.json"


@dataclass(frozen=True, slots=True)
class BackboneInfo:
    """A backbone, as far as an experiment's configuration needs to know it."""

    id: str
    """The name it is chosen by."""
    revision: str
    """Commit of a Hugging Face repository; of a bundled or local backbone a SHA-256 of its content."""
    family: str
    """`model_type` of its configuration: `bert`, `gpt_neox`, ..."""
    is_causal: bool
    """A decoder: a token's state depends on the tokens before it only."""
    num_layers: int
    """Transformer blocks (L); layers are numbered 0 (embeddings) to L (the model's own output)."""
    hidden_size: int
    """Width D of the token states."""
    max_tokens: int
    """Tokens it can read at once, special tokens included."""
    poolings: tuple[str, ...]
    """Poolings it allows: `mean` always, `last` for decoders, `cls` for encoders."""


def read_info(folder: Path, id: str, revision: str) -> BackboneInfo:
    """Describe the model in `folder` from its config.json alone.

    Raises:
        BackboneError: config.json is missing or unreadable, or describes no model that turns text into token
        states
            the way an encoder or a decoder does.
    """
    config = _read_config(folder / "config.json", id)
    family = config.get("model_type")
    if not isinstance(family, str) or family not in DECODERS | ENCODERS or config.get("is_encoder_decoder"):
        raise BackboneError(
            ("backbone", "id"),
            f"a model of a family that can be read layer by layer ({', '.join(sorted(DECODERS | ENCODERS))})",
            f"{id!r} of family {family!r}",
        )
    is_causal = family in DECODERS
    max_tokens = _first(config, id, "max_position_embeddings", "n_positions", default=512)
    if family in POSITIONS_FROM_TWO:
        max_tokens -= 2
    sentence_config = folder / SENTENCE_CONFIG
    if sentence_config.is_file():
        # a sentence encoder has learned from texts this long; positions beyond were never trained
        trained_on = _first(_read_config(sentence_config, id), id, "max_seq_length", default=max_tokens)
        max_tokens = min(max_tokens, trained_on)
    return BackboneInfo(
        id=id,
        revision=revision,
        family=family,
        is_causal=is_causal,
        num_layers=_first(config, id, "num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        hidden_size=_first(config, id, "hidden_size", "n_embd", "dim"),
        max_tokens=max_tokens,
        poolings=("mean", "last") if is_causal else ("mean", "cls"),
    )


def resolve_max_tokens(max_tokens: int | None, info: BackboneInfo) -> int:
    """Tokens to read per text, special tokens included.

    Args:
        max_tokens: what was asked for; None: all the backbone can read, at most `DEFAULT_MAX_TOKENS`.
        info: the backbone.

    Raises:
        BackboneError: fewer than three (special tokens alone would fill them), or more than the backbone can
            read.
    """
    if max_tokens is None:
        return min(info.max_tokens, DEFAULT_MAX_TOKENS)
    if not 3 <= max_tokens <= info.max_tokens:
        raise BackboneError(
            ("backbone", "max_tokens"), f"3 to {info.max_tokens} for {info.id!r}", str(max_tokens)
        )
    return max_tokens


def require_decoder(info: BackboneInfo) -> None:
    """Raise `BackboneError` for an encoder, which predicts no next tokens."""
    if not info.is_causal:
        raise BackboneError(
            ("backbone", "id"),
            "a decoder, which predicts each token from those before it",
            f"{info.id!r} of family {info.family!r}, an encoder: it has no perplexity",
            "Name a causal language model, for example EleutherAI/pythia-70m or one trained here",
        )


def _read_config(path: Path, id: str) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            config = json.loads(file.read(MAX_CONFIG_BYTES))
    except OSError as error:
        raise BackboneError(
            ("backbone", "id"), f"a folder with a config.json for {id!r}", error.strerror or "no such file"
        ) from error
    except ValueError as error:
        raise BackboneError(
            ("backbone", "id"), f"valid JSON in config.json of {id!r}", "something else"
        ) from error
    if not isinstance(config, dict):
        raise BackboneError(("backbone", "id"), f"a JSON object in config.json of {id!r}", "something else")
    return config


def _first(config: Mapping[str, object], id: str, *names: str, default: int | None = None) -> int:
    """The first of the fields that families name differently."""
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and value > 0:
            return value
    if default is None:
        raise BackboneError(("backbone", "id"), f"{names[0]} in config.json of {id!r}", "no such field")
    return default
