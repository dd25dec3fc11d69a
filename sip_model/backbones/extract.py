"""Texts to features: one forward pass reads all layers asked for, pooled at once and not kept."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from sip_model.backbones.batches import Batch, plan_batches
from sip_model.backbones.extraction import Extraction, FloatArray, IntArray
from sip_model.backbones.info import resolve_max_tokens
from sip_model.backbones.layers import resolve_layers
from sip_model.backbones.load import Backbone
from sip_model.backbones.passes import run_passes
from sip_model.backbones.pooling import pooling_of
from sip_model.backbones.tokens import TokenIds, encode
from sip_model.errors import BackboneError

# Texts tokenised and sorted by length at a time: bounds memory for large corpora, enough for full batches.
WINDOW_TEXTS = 32_768

# On a CPU the states of a pass should stay in the cache; on a GPU a pass should fill it.
BATCH_TOKENS = {"cpu": 2048, "gpu": 16_384}


class PassKind(NamedTuple):
    """What forward passes make; texts of one kind can share a pass, whoever asks for them."""

    backbone: Backbone
    layers: tuple[int, ...]
    """K layer numbers, none of them negative."""
    pooling: str
    """A name from `POOLINGS`."""

    def read(self, tokens: TokenIds, batch: Batch) -> FloatArray:
        """One pass; several threads may read at once.

        Args:
            tokens: of all texts.
            batch: which of them.

        Returns:
            Pooled token states, (B, K, D).
        """
        ids, mask = (array.to(self.backbone.device) for array in padded(tokens, batch.rows, batch.length))
        pooled = self.backbone.reader.pooled_layers(ids, mask, self.layers, pooling_of(self.pooling))
        return pooled.cpu().numpy()

    def read_texts(self, texts: Sequence[IntArray], length: int) -> FloatArray:
        """One pass over B texts of any callers, given by their token ids; see :meth:`read`.

        Args:
            texts: ids of each, (tokens,).
            length: they are padded to, as :func:`padded_lengths` says of each of them.
        """
        tokens = TokenIds.joined(texts, np.zeros(len(texts), dtype=np.bool_))
        return self.read(tokens, Batch(np.arange(len(texts)), length))


Keep = Callable[[IntArray, FloatArray], None]
"""Takes the numbers of B texts and their pooled states (B, K, D)."""

Forward = Callable[[PassKind, TokenIds, Keep], None]
"""Reads all texts of some tokens, and hands over what it has read as it comes, in the caller's thread."""


def forward_alone(kind: PassKind, tokens: TokenIds, keep: Keep, batch_tokens: int | None = None) -> None:
    """A :data:`Forward` for a caller that has the device to itself.

    Args:
        kind: of the passes.
        tokens: of n texts.
        keep: takes each pass's results.
        batch_tokens: tokens per pass, padding included; None: what was found fastest on a CPU or fills a GPU.
    """
    backbone = kind.backbone
    size = batch_tokens or BATCH_TOKENS["cpu" if backbone.device.type == "cpu" else "gpu"]
    batches = plan_batches(tokens.lengths, backbone.info.max_tokens, size, is_causal=backbone.info.is_causal)
    run_passes(
        batches,
        lambda batch: kind.read(tokens, batch),
        lambda batch, pooled: keep(batch.rows, pooled),
        backbone.device,
    )


def extract_features(
    backbone: Backbone,
    texts: Sequence[str],
    layers: Sequence[int],
    pooling: str,
    max_tokens: int | None = None,
    forward: Forward = forward_alone,
    on_progress: Callable[[int, int], None] | None = None,
) -> Extraction:
    """Read texts with a backbone and keep one vector per text and layer.

    Layer 0 is what the first transformer block reads (the embeddings); layer k is the output of block k; the
    last layer L is the model's own output, after its final norm where it has one.

    Args:
        backbone: a loaded backbone.
        texts: n texts.
        layers: K layer numbers.
        pooling: a name from `POOLINGS` that the backbone allows.
        max_tokens: tokens read per text, special tokens included; None: what the backbone can read, at
            most 512.
        forward: reads the tokens.
        on_progress: called after each forward pass with texts done and texts in all.

    Raises:
        BackboneError: layers, pooling or max_tokens that the backbone can't do.
    """
    info = backbone.info
    wanted = tuple(resolve_layers(layers, info.num_layers))
    pooling_of(pooling)
    if pooling not in info.poolings:
        raise BackboneError(
            ("backbone", "pooling"), f"one of {', '.join(info.poolings)} for {info.id!r}", pooling
        )
    limit = resolve_max_tokens(max_tokens, info)
    features = np.empty((len(texts), len(wanted), info.hidden_size), dtype=np.float32)
    num_tokens = np.zeros(len(texts), dtype=np.int64)
    truncated = np.zeros(len(texts), dtype=np.bool_)
    num_done = 0
    for first in range(0, len(texts), WINDOW_TEXTS):
        tokens = encode(backbone, texts[first : first + WINDOW_TEXTS], limit)
        num_tokens[first : first + WINDOW_TEXTS] = tokens.lengths
        truncated[first : first + WINDOW_TEXTS] = tokens.truncated

        def keep(rows: IntArray, pooled: FloatArray, first: int = first) -> None:
            nonlocal num_done
            features[first + rows] = pooled
            num_done += len(rows)
            if on_progress is not None:
                on_progress(num_done, len(texts))

        forward(PassKind(backbone, wanted, pooling), tokens, keep)
    return Extraction(features, num_tokens, truncated)


def padded(tokens: TokenIds, rows: IntArray, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask of some texts, (B, T) each, padded on the right with id 0, which nothing reads.

    Args:
        tokens: of all texts.
        rows: which texts, (B,).
        length: T, at least the tokens of each of them.
    """
    columns = np.arange(length)  # (T,)
    mask = columns < tokens.lengths[rows][:, None]  # (B, T)
    places = np.where(mask, tokens.starts[rows][:, None] + columns, 0)  # (B, T)
    ids = np.where(mask, tokens.flat[places], 0)  # (B, T)
    return torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64))
