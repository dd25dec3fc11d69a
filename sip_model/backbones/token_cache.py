"""Token states computed once: a cache on disk beside the features', addressed by texts and layer.

Texts are cached by slices, since an experiment's own texts are what is asked for again: by the same one after
a crash, or by another that splits or trains otherwise. A slice is a pair of NumPy files named like those of
:mod:`sip_model.backbones.segments`, so that the same housekeeping lets go of the least used ones.
"""

import hashlib
import json
import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sip_model.backbones.extraction import IntArray
from sip_model.backbones.info import BackboneInfo
from sip_model.backbones.segments import KEYS_SUFFIX, VECTORS_SUFFIX
from sip_model.backbones.state_store import StateSegment, StateStore, map_segment
from sip_model.backbones.token_states import BitArray, TokenStates
from sip_model.kept import write_array

logger = logging.getLogger(__name__)

# Part of every address: raise it when extraction changes the numbers it gives.
TOKEN_STATES_VERSION = 1

# Bounds what is held in memory at a time: of English about 30,000 tokens.
SLICE_TEXTS = 1024
SLICE_CHARACTERS = 2**17

_ROW = np.dtype([("length", "<i8"), ("crc32", "<u4")])

Compute = Callable[[list[str]], TokenStates]


class CachedStates(NamedTuple):
    """States of n texts and what they cost."""

    store: StateStore
    num_hits: int
    """Texts whose states were there."""
    num_computed: int
    """Texts computed."""
    num_tokens_computed: int
    """Tokens of the texts computed, special tokens included."""


def text_slices(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, so many at a time that their states fit into memory."""
    taken: list[str] = []
    num_characters = 0
    for text in texts:
        if taken and (len(taken) == SLICE_TEXTS or num_characters + len(text) > SLICE_CHARACTERS):
            yield taken
            taken, num_characters = [], 0
        taken.append(text)
        num_characters += len(text)
    if taken:
        yield taken


class TokenCache:
    """Token states by slices of texts, under one folder; any number of processes may use it at once.

    Args:
        folder: made when the first states are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def states(
        self,
        backbone: BackboneInfo,
        dtype: str,
        texts: Sequence[str],
        layer: int,
        max_tokens: int,
        compute: Compute,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> CachedStates:
        """States of the tokens of n texts, on disk; those that aren't here are computed.

        Args:
            backbone: whose states; it needn't be loaded while all are found.
            dtype: arithmetic of the forward pass, resolved.
            texts: n texts.
            layer: its number.
            max_tokens: tokens read per text.
            compute: from a slice of texts to their states.
            on_progress: called after each slice with texts done and texts in all.

        Raises:
            OSError: the disk is full or not writable.
        """
        address = ["tokens", TOKEN_STATES_VERSION, backbone.id, backbone.revision, layer, max_tokens, dtype]
        folder = self._folder / hashlib.blake2b(json.dumps(address).encode(), digest_size=16).hexdigest()
        segments: list[StateSegment] = []
        num_done = num_hits = num_tokens = 0
        for taken in text_slices(texts):
            stem = folder / _slice_key(taken)
            segment = _open(stem, len(taken), backbone.hidden_size)
            if segment is None:
                computed = compute(taken)
                write_states(stem, computed.states, computed.lengths)
                segment = map_segment(_vectors(stem), computed.lengths)
                num_tokens += computed.num_tokens
            else:
                num_hits += len(taken)
            segments.append(segment)
            num_done += len(taken)
            if on_progress is not None:
                on_progress(num_done, len(texts))
        store = StateStore(segments, backbone.hidden_size)
        return CachedStates(store, num_hits, len(texts) - num_hits, num_tokens)


def write_states(stem: Path, states: BitArray, lengths: IntArray) -> None:
    """Write a slice: its states, then, which makes it exist, the length and checksum of each text.

    Args:
        stem: folder and name of the slice.
        states: (tokens, D) bits of bfloat16 numbers.
        lengths: tokens of each text, (m,).
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    rows = np.empty(len(lengths), dtype=_ROW)
    rows["length"] = lengths
    rows["crc32"] = _checksums(states, lengths)
    write_array(_vectors(stem), states)
    write_array(_keys(stem), rows)


def _open(stem: Path, num_texts: int, hidden_size: int) -> StateSegment | None:
    """A slice as it was written; None where there is none, or only a damaged one."""
    if not _keys(stem).exists():
        return None
    try:
        rows = np.load(_keys(stem), allow_pickle=False)
        segment = map_segment(_vectors(stem), rows["length"].astype(np.int64))
        is_whole = len(rows) == num_texts and segment.states.shape[1] == hidden_size
        if is_whole and np.array_equal(rows["crc32"], _checksums(segment.states, segment.lengths)):
            segment.release()
            return segment
    except (OSError, ValueError, EOFError, IndexError) as error:
        logger.debug("token states: %s: %s", stem, error)
    logger.warning("token states: slice %s is damaged; its texts are read again", stem)
    return None


def _checksums(states: BitArray, lengths: IntArray) -> npt.NDArray[np.uint32]:
    ends = np.cumsum(lengths)
    return np.array(
        [
            zlib.crc32(np.ascontiguousarray(states[start:end]).data)
            for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)
        ],
        dtype=np.uint32,
    )


def _slice_key(texts: Sequence[str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


def _keys(stem: Path) -> Path:
    return stem.with_name(stem.name + KEYS_SUFFIX)


def _vectors(stem: Path) -> Path:
    return stem.with_name(stem.name + VECTORS_SUFFIX)
