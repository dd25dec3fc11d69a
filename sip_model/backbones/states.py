"""What the blocks in training read of each text, made once by the blocks below them and kept in memory."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from sip_model.backbones.batches import padded_lengths, plan_batches
from sip_model.backbones.extract import BATCH_TOKENS, padded
from sip_model.backbones.extraction import IntArray
from sip_model.backbones.load import Backbone
from sip_model.backbones.tokens import encode

# Beyond this the states are made again for every pass.
MAX_STATE_BYTES = 4 * 2**30


class TokenBatch(NamedTuple):
    """Texts of one forward pass, on the backbone's device."""

    ids: torch.Tensor
    """Token ids, int64, (B, T)."""
    mask: torch.Tensor
    """1 for a text's own tokens, (B, T)."""
    states: torch.Tensor | None
    """Token states of layer `start`, (B, T, D), anything behind a text's own tokens; None where passes begin
    with token ids."""


def thinned(batch: TokenBatch, share: float) -> TokenBatch:
    """A batch of shorter texts: each without a share of its tokens, but with its first and last one.

    Args:
        batch: of B texts.
        share: of tokens left out, drawn by torch's own generator of the batch's device.

    Returns:
        (B, T'), T' tokens of the text that keeps most.
    """
    kept = batch.mask.bool() & (torch.rand(batch.mask.shape, device=batch.mask.device) >= share)  # (B, T)
    kept[:, 0] = True
    kept.scatter_(1, batch.mask.sum(1, keepdim=True).long() - 1, value=True)
    num_kept = int(kept.sum(1).max())
    places = kept.int().argsort(dim=1, descending=True, stable=True)[:, :num_kept]  # (B, T')
    states = batch.states
    if states is not None:
        states = states.gather(1, places[:, :, None].expand(-1, -1, states.shape[2]))  # (B, T', D)
    return TokenBatch(batch.ids.gather(1, places), kept.gather(1, places).to(batch.mask.dtype), states)


class TextStates:
    """Texts, tokenised, and their token states at one layer.

    Args:
        backbone: makes the states; it stays as it is.
        texts: n texts.
        max_tokens: tokens read per text.
        start: the layer whose states are wanted; 0: none are, passes begin with token ids.
        max_bytes: memory for states; where all of them don't fit, none is kept.
    """

    def __init__(
        self,
        backbone: Backbone,
        texts: Sequence[str],
        max_tokens: int,
        start: int,
        max_bytes: int = MAX_STATE_BYTES,
    ) -> None:
        self._backbone = backbone
        self._start = start
        self._tokens = encode(backbone, texts, max_tokens)
        self.lengths: IntArray = self._tokens.lengths
        """Tokens of each text, (n,)."""
        num_values = int(self.lengths.sum()) * backbone.info.hidden_size
        self._is_filled = False
        is_kept = start > 0 and num_values * backbone.dtype.itemsize <= max_bytes
        self._kept: torch.Tensor | None = None
        """(sum of lengths, D)"""
        if is_kept:
            self._kept = torch.zeros(num_values, dtype=backbone.dtype).view(-1, backbone.info.hidden_size)

    def keep(self, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Make all states that are kept; does nothing where none are, or all are made."""
        if self._kept is None or self._is_filled:
            return
        info, num_done = self._backbone.info, 0
        size = BATCH_TOKENS["cpu" if self._backbone.device.type == "cpu" else "gpu"]
        for rows, length in plan_batches(self.lengths, info.max_tokens, size, is_causal=info.is_causal):
            ids, mask = (part.to(self._backbone.device) for part in padded(self._tokens, rows, length))
            states = self._states(ids, mask)
            self._kept[self._places(rows, length)[mask.bool().cpu()]] = states[mask.bool()].cpu()
            num_done += len(rows)
            if on_progress is not None:
                on_progress(num_done, len(self.lengths))
        self._is_filled = True

    def passes(self, rows: IntArray, max_rows: int) -> list[IntArray]:
        """Deal texts to passes of one padded length and at most `max_rows` texts, long ones first; rows are
        positions in `rows`."""
        lengths = padded_lengths(self.lengths[rows], self._backbone.info.max_tokens)
        order = np.argsort(-lengths, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1)
        return [group[i : i + max_rows] for group in groups for i in range(0, len(group), max_rows)]

    def batch(self, rows: IntArray) -> TokenBatch:
        """The texts `rows` for one pass, padded to the longest of them."""
        device = self._backbone.device
        limit = self._backbone.info.max_tokens
        length = int(padded_lengths(self.lengths[rows], limit).max())
        ids, mask = (part.to(device) for part in padded(self._tokens, rows, length))
        if self._start == 0:
            return TokenBatch(ids, mask, None)
        if self._kept is None:
            # a copy: what is made in inference mode can't be kept for a backward pass
            return TokenBatch(ids, mask, self._states(ids, mask).to(torch.float32, copy=True))
        return TokenBatch(ids, mask, self._kept[self._places(rows, length)].to(device).float())

    def _states(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(B, T, D) in the backbone's dtype."""
        return self._backbone.reader.pooled_layers(ids, mask, (self._start,), _unpooled)[:, 0]

    def _places(self, rows: IntArray, length: int) -> torch.Tensor:
        """Where the states of each token are kept, (B, T); those of padding are some token's."""
        places = self._tokens.starts[rows][:, None] + np.arange(length)
        return torch.from_numpy(np.minimum(places, len(self._tokens.flat) - 1))


def _unpooled(hidden: torch.Tensor, _mask: torch.Tensor) -> torch.Tensor:
    return hidden
