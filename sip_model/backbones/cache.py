"""Features computed once: a cache on disk, addressed by a text and by everything that shapes its vector."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sip_model.backbones.extraction import BoolArray, Extraction, FloatArray
from sip_model.backbones.info import BackboneInfo, resolve_max_tokens
from sip_model.backbones.layers import resolve_layers
from sip_model.backbones.segments import KEY_BYTES, KeyArray, read_vectors, write_segment
from sip_model.errors import BackboneError

# Part of every address: raise it when extraction changes the numbers it gives.
EXTRACTION_VERSION = 1

# Texts computed between two writes: what a job that dies may lose, a few seconds of a small backbone.
SLICE_TEXTS = 2048

Compute = Callable[[list[str]], Extraction]


class CachedFeatures(NamedTuple):
    """Features of n texts and what they cost."""

    features: FloatArray
    """(n, K, D) for K layers in the order asked for."""
    num_hits: int
    """Texts whose vectors of all K layers were there."""
    num_computed: int
    """Distinct texts computed."""
    num_tokens_computed: int
    """Tokens of the texts computed."""


class FeatureCache:
    """Vectors by text and layer, under one folder; any number of processes may use it at once.

    Args:
        folder: made when the first vectors are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def features(
        self,
        backbone: BackboneInfo,
        dtype: str,
        texts: Sequence[str],
        layers: Sequence[int],
        pooling: str,
        max_tokens: int | None,
        compute: Compute,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> CachedFeatures:
        """Features of texts, computing those that aren't here.

        Args:
            backbone: whose features; it needn't be loaded while every text is found.
            dtype: arithmetic of the forward pass, resolved (see
            :func:`sip_model.backbones.dtypes.resolve_dtype`). texts: n texts.
            layers: K layer numbers.
            pooling: a name from `POOLINGS`.
            max_tokens: tokens read per text; None: the backbone's default.
            compute: from some texts to their extraction with these very layers; called once per
                `SLICE_TEXTS` distinct texts that miss, long ones first, and not at all when none does.
            on_progress: called after each such slice with texts computed and texts to compute.

        Raises:
            BackboneError: the layers or max_tokens are beyond the backbone, or `compute` gave another shape.
            OSError: the disk is full or not writable.
        """
        wanted = resolve_layers(layers, backbone.num_layers)
        limit = resolve_max_tokens(max_tokens, backbone)
        folders = [self._layer_folder(backbone, dtype, layer, pooling, limit) for layer in wanted]
        distinct = list(dict.fromkeys(texts))  # U texts
        number = {text: position for position, text in enumerate(distinct)}
        rows = np.array([number[text] for text in texts], dtype=np.int64)  # (n,)
        keys = np.array([_key(text) for text in distinct], dtype=f"S{KEY_BYTES}")  # (U,)
        vectors = np.zeros((len(wanted), len(distinct), backbone.hidden_size), dtype=np.float32)  # (K, U, D)
        found = np.zeros((len(wanted), len(distinct)), dtype=np.bool_)  # (K, U)
        for layer, folder in enumerate(folders):
            found[layer] = read_vectors(folder, keys, vectors[layer])
        hits = np.all(found, axis=0)  # (U,)
        # Long texts first: what doesn't fit into memory fails at once, and the time left is not underrated.
        missing = sorted(np.flatnonzero(~hits).tolist(), key=lambda position: -len(distinct[position]))
        num_tokens = 0
        for start in range(0, len(missing), SLICE_TEXTS):
            computing = missing[start : start + SLICE_TEXTS]
            extraction = compute([distinct[position] for position in computing])
            _store(folders, keys, computing, extraction.features, vectors, found)
            num_tokens += int(extraction.num_tokens.sum())
            if on_progress is not None:
                on_progress(start + len(computing), len(missing))
        num_hits = int(np.count_nonzero(hits[rows]))
        return CachedFeatures(vectors.transpose(1, 0, 2)[rows], num_hits, len(missing), num_tokens)

    def _layer_folder(
        self, backbone: BackboneInfo, dtype: str, layer: int, pooling: str, max_tokens: int
    ) -> Path:
        address = [EXTRACTION_VERSION, backbone.id, backbone.revision, layer, pooling, max_tokens, dtype]
        return self._folder / hashlib.blake2b(json.dumps(address).encode(), digest_size=16).hexdigest()


def _store(
    folders: Sequence[Path],
    keys: KeyArray,
    computed: Sequence[int],
    features: FloatArray,
    vectors: FloatArray,
    found: BoolArray,
) -> None:
    """Put the features (m, K, D) of the texts numbered `computed` into `vectors` (K, U, D), and write those
    that were not found to their layer's folder."""
    expected = (len(computed), len(folders), vectors.shape[2])
    if features.shape != expected:
        raise BackboneError(("features",), f"an extraction of shape {expected}", f"{features.shape}")
    for layer, folder in enumerate(folders):
        vectors[layer, computed] = features[:, layer]
        new = [place for place, position in enumerate(computed) if not found[layer, position]]
        if new:
            write_segment(folder, keys[[computed[place] for place in new]].tolist(), features[new, layer])


def _key(text: str) -> bytes:
    # A lone surrogate is no valid UTF-8, yet a text like any other here.
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()
