"""Load a backbone from a folder: safetensors only, no code from the folder, never from the network."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from sip_model.backbones.dtypes import DtypeChoice, resolve_device, resolve_dtype
from sip_model.backbones.forward import LayerReader
from sip_model.backbones.info import BackboneInfo
from sip_model.backbones.weight_files import check_weights
from sip_model.errors import BackboneError

# Bundled weights without the head that AutoModel would like to see on top are complete for us.
_UNUSED_PARTS = ("pooler.",)

# Without one of these transformers makes up a tokenizer that knows no words.
_VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt")

TORCH_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True, eq=False)
class Backbone:
    """A loaded backbone, ready for :func:`sip_model.backbones.extract.extract_features`."""

    info: BackboneInfo
    model: PreTrainedModel
    reader: LayerReader
    """Runs the model and pools its layers."""
    end_token: int
    """Id of the token that stands for a text without any token."""
    tokenizer: Tokenizer
    """Without padding and truncation; copy it before setting either."""
    device: torch.device
    dtype: torch.dtype
    truncating: dict[int, Tokenizer] = field(default_factory=dict)
    """Copies of the tokenizer by the number of tokens they keep."""

    @property
    def num_bytes(self) -> int:
        """Memory of the weights."""
        tensors = (*self.model.parameters(), *self.model.buffers())
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def tokenizer_for(self, max_tokens: int) -> Tokenizer:
        """A tokenizer that keeps at most `max_tokens` tokens of a text, special tokens included."""
        if max_tokens not in self.truncating:
            tokenizer = copy.deepcopy(self.tokenizer)
            tokenizer.enable_truncation(max_tokens)
            self.truncating[max_tokens] = tokenizer
        return self.truncating[max_tokens]


def load_backbone(
    folder: Path, info: BackboneInfo, device: str = "auto", dtype: DtypeChoice = "auto"
) -> Backbone:
    """Load the model and tokenizer in `folder`, in evaluation mode, without its task head.

    Args:
        folder: config.json, tokenizer.json and \\*.safetensors.
        info: what :func:`sip_model.backbones.info.read_info` says of the folder.
        device: a torch device, or ``auto``.
        dtype: ``float32``, ``bfloat16`` or ``auto``, see :func:`resolve_dtype`.

    Raises:
        BackboneError: there are no safetensors weights (pickled ones are refused), or weights, configuration
            and tokenizer don't belong together.
    """
    resolved_device = torch.device(resolve_device(device))
    resolved_dtype = TORCH_DTYPES[resolve_dtype(dtype, device)]
    loaded = read_tokenizer(folder, info)
    model = read_model(folder, info, resolved_dtype, AutoModel).to(resolved_device)
    check_vocabulary(loaded.tokenizer, model, info)
    # A tanh layer over [CLS] that no layer's states depend on.
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    reader = LayerReader(model, transformer_blocks(model, info), info)
    return Backbone(info, model, reader, loaded.end_token, loaded.tokenizer, resolved_device, resolved_dtype)


class ReadTokenizer(NamedTuple):
    """A backbone's tokenizer and the special tokens that matter here."""

    tokenizer: Tokenizer
    """Without padding and truncation."""
    end_token: int
    """Stands for a text without any token."""
    start_token: int | None
    """What a text's first token follows: beginning or else end of text; None where it has neither."""


def check_vocabulary(tokenizer: Tokenizer, model: PreTrainedModel, info: BackboneInfo) -> None:
    """Raise `BackboneError` when the tokenizer has tokens that the model has no embedding for."""
    vocabulary_size = 1 + max(tokenizer.get_vocab().values(), default=-1)
    num_embeddings = model.get_input_embeddings().num_embeddings
    if vocabulary_size > num_embeddings:
        raise BackboneError(
            ("backbone", "id"),
            f"a tokenizer of {info.id!r} with at most {num_embeddings} tokens, one per embedding",
            f"{vocabulary_size}",
        )


def read_tokenizer(folder: Path, info: BackboneInfo) -> ReadTokenizer:
    """The tokenizer in `folder`; `BackboneError` when there is none that can be read."""
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise BackboneError(
            ("backbone", "id"), f"a tokenizer of {info.id!r}: one of {', '.join(_VOCABULARIES)}", "none"
        )
    try:
        loaded = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        tokenizer: Tokenizer = copy.deepcopy(loaded.backend_tokenizer)
    except (OSError, ValueError, AttributeError, ImportError) as error:
        raise BackboneError(
            ("backbone", "id"),
            f"a tokenizer of {info.id!r} that the tokenizers library can read",
            type(error).__name__,
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    eos, sep, bos = loaded.eos_token_id, loaded.sep_token_id, loaded.bos_token_id
    end_token = next((token for token in (eos, sep, bos) if token is not None), 0)
    return ReadTokenizer(tokenizer, end_token, bos if bos is not None else eos)


def read_model(
    folder: Path,
    info: BackboneInfo,
    dtype: torch.dtype,
    family: type[AutoModel] | type[AutoModelForCausalLM],
) -> PreTrainedModel:
    """The model in `folder`, in evaluation mode and without gradients.

    Args:
        folder: config.json and \\*.safetensors.
        info: what is known of it, for messages.
        dtype: of its weights.
        family: transformers' class that chooses the model's: without a head, or with that for next tokens.

    Raises:
        BackboneError: there are no safetensors weights, or they don't fit.
    """
    if not any(folder.glob("*.safetensors")):
        raise BackboneError(
            ("backbone", "id"),
            f"weights of {info.id!r} as *.safetensors",
            "none",
            "Pickled weights (*.bin, *.pt) are never read: convert them with transformers' save_pretrained",
        )
    check_weights(folder, info)
    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        with quiet():
            model, report = family.from_pretrained(
                str(folder),
                config=config,
                dtype=dtype,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                attn_implementation="sdpa",
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, ImportError, KeyError, SafetensorError) as error:
        raise BackboneError(
            ("backbone", "id"),
            f"weights of {info.id!r} that fit its config.json",
            type(error).__name__,
        ) from error
    missing = [key for key in report["missing_keys"] if not any(part in key for part in _UNUSED_PARTS)]
    if missing or report["mismatched_keys"]:
        raise BackboneError(
            ("backbone", "id"),
            f"weights of {info.id!r} that fit its config.json",
            f"{len(missing)} missing and {len(report['mismatched_keys'])} of another shape, e.g. "
            f"{min([*missing, *(str(key[0]) for key in report['mismatched_keys'])])}",
        )
    return model.eval().requires_grad_(False)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from printing progress, and its report on unused heads: callers look at that."""
    verbosity = transformers_logging.get_verbosity()
    had_progress_bar = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if had_progress_bar:
            transformers_logging.enable_progress_bar()


def transformer_blocks(model: PreTrainedModel, info: BackboneInfo) -> tuple[nn.Module, ...]:
    """The modules that make the layers of a model; in ALBERT one makes several.

    Raises:
        BackboneError: the model is laid out in a way that isn't known.
    """
    if info.family == "albert":
        return tuple(layer for group in model.encoder.albert_layer_groups for layer in group.albert_layers)
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == info.num_layers:
            return tuple(module)
    raise BackboneError(
        ("backbone", "id"), f"{info.num_layers} transformer blocks in {info.id!r}", "another layout"
    )
