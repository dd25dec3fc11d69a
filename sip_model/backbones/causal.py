"""Decoders with the head that predicts the next token."""

from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, PreTrainedModel

from sip_model.backbones.dtypes import DtypeChoice, resolve_device, resolve_dtype
from sip_model.backbones.info import BackboneInfo, require_decoder
from sip_model.backbones.load import TORCH_DTYPES, check_vocabulary, read_model, read_tokenizer


@dataclass(frozen=True, slots=True, eq=False)
class CausalBackbone:
    """A decoder that predicts next tokens."""

    info: BackboneInfo
    model: PreTrainedModel
    """In evaluation mode, without gradients; gives logits."""
    tokenizer: Tokenizer
    """Without padding and truncation."""
    start_token: int | None
    """What a text's first token is predicted from; None where the tokenizer has no such token."""
    end_token: int
    folder: Path
    device: torch.device


def load_causal(
    folder: Path, info: BackboneInfo, device: str = "auto", dtype: DtypeChoice = "auto"
) -> CausalBackbone:
    """Load the model in `folder` with its head for next tokens, and the tokenizer.

    Args:
        folder: config.json, tokenizer.json and \\*.safetensors.
        info: what :func:`sip_model.backbones.info.read_info` says of the folder.
        device: a torch device, or ``auto``.
        dtype: ``float32``, ``bfloat16`` or ``auto``.

    Raises:
        BackboneError: an encoder; no safetensors weights; weights without the head (and none that it shares
            with the embeddings); or weights, configuration and tokenizer that don't belong together.
    """
    require_decoder(info)
    resolved_device = torch.device(resolve_device(device))
    loaded = read_tokenizer(folder, info)
    weights = read_model(folder, info, TORCH_DTYPES[resolve_dtype(dtype, device)], AutoModelForCausalLM)
    model = weights.to(resolved_device)
    check_vocabulary(loaded.tokenizer, model, info)
    return CausalBackbone(
        info, model, loaded.tokenizer, loaded.start_token, loaded.end_token, folder, resolved_device
    )
