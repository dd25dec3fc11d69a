"""Load a backbone from a folder: safetensors only, no code from the folder, never from the network."""

import copy
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from sip_model.backbones.dtypes import DtypeChoice, resolve_device, resolve_dtype
from sip_model.backbones.forward import LayerReader
from sip_model.backbones.info import BackboneInfo
from sip_model.errors import BackboneError

# Bundled weights without the head that AutoModel would like to see on top are complete for us.
_UNUSED_PARTS = ("pooler.",)

_TORCH_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


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
    if not any(folder.glob("*.safetensors")):
        raise BackboneError(
            ("backbone", "id"),
            f"weights of {info.id!r} as *.safetensors",
            "none",
            "Pickled weights (*.bin, *.pt) are never read: convert them with transformers' save_pretrained",
        )
    resolved_device = torch.device(resolve_device(device))
    resolved_dtype = _TORCH_DTYPES[resolve_dtype(dtype, device)]
    tokenizer, end_token = _load_tokenizer(folder, info)
    model = _load_model(folder, info, resolved_dtype).to(resolved_device)
    reader = LayerReader(model, _blocks(model, info), info)
    return Backbone(info, model, reader, end_token, tokenizer, resolved_device, resolved_dtype)


def _load_tokenizer(folder: Path, info: BackboneInfo) -> tuple[Tokenizer, int]:
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
    end_tokens = (loaded.eos_token_id, loaded.sep_token_id, loaded.bos_token_id)
    return tokenizer, next((token for token in end_tokens if token is not None), 0)


def _load_model(folder: Path, info: BackboneInfo, dtype: torch.dtype) -> PreTrainedModel:
    verbosity = transformers_logging.get_verbosity()
    # The report on unused task heads is looked at below instead of printed.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        model, report = AutoModel.from_pretrained(
            str(folder),
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as error:
        raise BackboneError(
            ("backbone", "id"),
            f"weights of {info.id!r} that fit its config.json",
            f"{type(error).__name__}: {str(error)[:200]}",
        ) from error
    finally:
        transformers_logging.set_verbosity(verbosity)
        transformers_logging.enable_progress_bar()
    missing = [key for key in report["missing_keys"] if not any(part in key for part in _UNUSED_PARTS)]
    if missing or report["mismatched_keys"]:
        raise BackboneError(
            ("backbone", "id"),
            f"weights of {info.id!r} that fit its config.json",
            f"{len(missing)} missing and {len(report['mismatched_keys'])} of another shape, e.g. "
            f"{min([*missing, *(str(key[0]) for key in report['mismatched_keys'])])}",
        )
    # A tanh layer over [CLS] that no layer's states depend on.
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model.eval().requires_grad_(False)


def _blocks(model: PreTrainedModel, info: BackboneInfo) -> tuple[nn.Module, ...]:
    if info.family == "albert":
        return tuple(layer for group in model.encoder.albert_layer_groups for layer in group.albert_layers)
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == info.num_layers:
            return tuple(module)
    raise BackboneError(
        ("backbone", "id"), f"{info.num_layers} transformer blocks in {info.id!r}", "another layout"
    )
