"""Texts to features: one forward pass reads all layers asked for, pooled at once and not kept."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from sip_model.backbones.batches import Batch, plan_batches
from sip_model.backbones.extraction import Extraction, FloatArray
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


def extract_features(
    backbone: Backbone,
    texts: Sequence[str],
    layers: Sequence[int],
    pooling: str,
    max_tokens: int | None = None,
    batch_tokens: int | None = None,
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
        batch_tokens: tokens per forward pass, padding included; a longer text has a pass of its own. None:
            what was found fastest on a CPU or fills a GPU.
        on_progress: called after each forward pass with texts done and texts in all.

    Raises:
        BackboneError: layers, pooling or max_tokens that the backbone can't do.
    """
    info = backbone.info
    wanted = resolve_layers(layers, info.num_layers)
    pool = pooling_of(pooling)
    if pooling not in info.poolings:
        raise BackboneError(
            ("backbone", "pooling"), f"one of {', '.join(info.poolings)} for {info.id!r}", pooling
        )
    limit = resolve_max_tokens(max_tokens, info)
    size = batch_tokens or BATCH_TOKENS["cpu" if backbone.device.type == "cpu" else "gpu"]
    features = np.empty((len(texts), len(wanted), info.hidden_size), dtype=np.float32)
    num_tokens = np.zeros(len(texts), dtype=np.int64)
    truncated = np.zeros(len(texts), dtype=np.bool_)
    num_done = 0
    for first in range(0, len(texts), WINDOW_TEXTS):
        tokens = encode(backbone, texts[first : first + WINDOW_TEXTS], limit)
        num_tokens[first : first + WINDOW_TEXTS] = tokens.lengths
        truncated[first : first + WINDOW_TEXTS] = tokens.truncated

        def read(batch: Batch, tokens: TokenIds = tokens) -> FloatArray:
            ids, mask = (array.to(backbone.device) for array in padded_ids(tokens, batch))
            pooled = backbone.reader.pooled_layers(ids, mask, wanted, pool)  # (B, K, D)
            return pooled.cpu().numpy()

        def keep(batch: Batch, pooled: FloatArray, first: int = first) -> None:
            nonlocal num_done
            features[first + batch.rows] = pooled
            num_done += len(batch.rows)
            if on_progress is not None:
                on_progress(num_done, len(texts))

        batches = plan_batches(tokens.lengths, info.max_tokens, size, is_causal=info.is_causal)
        run_passes(batches, read, keep, backbone.device)
    return Extraction(features, num_tokens, truncated)


def padded_ids(tokens: TokenIds, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask of some texts, padded on the right with id 0, which nothing reads."""
    rows = batch.rows[:, None]  # (B, 1)
    columns = np.arange(batch.length)  # (T,)
    mask = columns < tokens.lengths[rows]  # (B, T)
    places = np.where(mask, tokens.starts[rows] + columns, 0)  # (B, T)
    ids = np.where(mask, tokens.flat[places], 0)  # (B, T)
    return torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64))
