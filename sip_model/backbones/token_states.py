"""Texts to the states of their tokens at one layer: every token a vector, padding and special tokens none."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sip_model.backbones.batches import Batch, plan_batches
from sip_model.backbones.extract import BATCH_TOKENS, padded
from sip_model.backbones.extraction import BoolArray, IntArray
from sip_model.backbones.info import resolve_max_tokens
from sip_model.backbones.layers import resolve_layers
from sip_model.backbones.load import Backbone
from sip_model.backbones.passes import run_passes
from sip_model.backbones.tokens import encode_own

BitArray = npt.NDArray[np.int16]


class TokenStates(NamedTuple):
    """States of the own tokens of n texts, one text after the other."""

    states: BitArray
    """The bits of bfloat16 numbers, (own tokens, D)."""
    lengths: IntArray
    """Own tokens of each text, (n,); 0 where the tokenizer finds none."""
    offsets: IntArray
    """Start and end of each token in code points of its text, (own tokens, 2)."""
    num_tokens: int
    """Tokens read, special tokens included."""
    truncated: BoolArray
    """Whether a text had more tokens than were read, (n,)."""


def extract_token_states(
    backbone: Backbone,
    texts: Sequence[str],
    layer: int,
    max_tokens: int | None = None,
    batch_tokens: int | None = None,
) -> TokenStates:
    """Read texts with a backbone and keep one vector per token.

    Special tokens are read with the text and then left out, as is padding: neither stands for anything in
    it. All states are held at once, so give it as many texts as :func:`text_slices` deals out.

    Args:
        backbone: a loaded backbone.
        texts: n texts.
        layer: 0 (embeddings) to L (last).
        max_tokens: tokens read per text, special tokens included; None: what the backbone can read, at
            most 512.
        batch_tokens: tokens per forward pass, padding included; None: what suits the device.

    Raises:
        BackboneError: a layer or max_tokens that the backbone can't do.
    """
    info = backbone.info
    layers = resolve_layers((layer,), info.num_layers)
    size = batch_tokens or BATCH_TOKENS["cpu" if backbone.device.type == "cpu" else "gpu"]
    ids, is_own, offsets = encode_own(backbone, texts, resolve_max_tokens(max_tokens, info))
    numbers = np.cumsum(is_own) - 1  # (tokens,) the number of an own token among the own ones
    states = np.empty((len(offsets), info.hidden_size), dtype=np.int16)

    def read(batch: Batch) -> tuple[IntArray, BitArray]:
        token_ids, mask = padded(ids, batch.rows, batch.length)  # (B, T)
        own, places = _own_places(ids.starts, is_own, batch, mask.numpy() == 1)
        hidden = backbone.reader.pooled_layers(
            token_ids.to(backbone.device), mask.to(backbone.device), layers, _unpooled
        )[:, 0]  # (B, T, D)
        kept = hidden[torch.from_numpy(own).to(backbone.device)]  # (own, D)
        return numbers[places], kept.to(torch.bfloat16).view(torch.int16).cpu().numpy()

    def keep(_batch: Batch, result: tuple[IntArray, BitArray]) -> None:
        states[result[0]] = result[1]

    batches = plan_batches(ids.lengths, info.max_tokens, size, is_causal=info.is_causal)
    run_passes(batches, read, keep, backbone.device)
    ends = np.concatenate([[0], np.cumsum(is_own)])
    lengths = ends[ids.starts + ids.lengths] - ends[ids.starts]
    return TokenStates(states, lengths, offsets, len(is_own), ids.truncated)


def _own_places(
    starts: IntArray, is_own: BoolArray, batch: Batch, mask: BoolArray
) -> tuple[BoolArray, IntArray]:
    """Which positions of a batch hold own tokens, (B, T), and their places among all tokens, (own,)."""
    places = np.where(mask, starts[batch.rows][:, None] + np.arange(batch.length), 0)  # (B, T)
    own = mask & is_own[places]
    return own, places[own]


def _unpooled(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:  # noqa: ARG001
    """Token states as they are, (B, T, D)."""
    return hidden
