"""Token states that are read from disk in the order asked for, in memory that doesn't grow with them."""

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch

from sip_model.backbones.extraction import IntArray
from sip_model.backbones.token_states import BitArray, TokenStates

# States up to this size stay mapped once they were read. Of larger ones pages go after each use, so that
# memory doesn't grow with them; to map pages again takes longer than to copy them.
MAX_MAPPED_BYTES = 2**30


class StateSegment(NamedTuple):
    """The states of some texts, one text after the other."""

    lengths: IntArray
    """Tokens of each text, (m,)."""
    states: BitArray
    """The bits of bfloat16 numbers, (tokens, D); in memory or mapped from a file."""
    mapping: mmap.mmap | None
    """Of the file."""

    def release(self) -> None:
        """Let the pages read so far go from this process's memory; the kernel keeps them while it can."""
        if self.mapping is not None:
            self.mapping.madvise(mmap.MADV_DONTNEED)


class StateStore:
    """States of the tokens of n texts, all texts' tokens numbered through.

    Args:
        segments: in the order of the texts.
        hidden_size: D.
    """

    def __init__(self, segments: Sequence[StateSegment], hidden_size: int) -> None:
        self._segments = segments
        self.hidden_size = hidden_size
        lengths = np.concatenate([np.zeros(0, np.int64), *(segment.lengths for segment in segments)])
        self.starts: IntArray = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        """Number of each text's first token, then the number of tokens, (n + 1,)."""
        sizes = [len(segment.states) for segment in segments]
        self._keeps_pages = sum(segment.states.nbytes for segment in segments) <= MAX_MAPPED_BYTES
        self._firsts: IntArray = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    @classmethod
    def in_memory(cls, states: TokenStates) -> Self:
        """Over states that were just read."""
        return cls([StateSegment(states.lengths, states.states, None)], states.states.shape[1])

    def read(self, tokens: IntArray, out: BitArray | None = None) -> torch.Tensor:
        """States of runs of tokens side by side, bfloat16, (m, k · D).

        Args:
            tokens: numbers of tokens, (m, k), each row's of one text; rows ascend, so the disk is read from
                front to back.
            out: memory for at least m · k · D numbers to use again.
        """
        num_runs, width = tokens.shape[0], tokens.shape[1] * self.hidden_size
        if out is None:
            out = np.empty(num_runs * width, dtype=np.int16)
        found = out[: num_runs * width].reshape(*tokens.shape, self.hidden_size)  # (m, k, D)
        edges = np.searchsorted(tokens[:, -1], self._firsts)  # (segments + 1,)
        for segment, first, start, end in zip(
            self._segments, self._firsts.tolist(), edges.tolist(), edges[1:].tolist(), strict=False
        ):
            if end > start:
                np.take(segment.states, tokens[start:end] - first, axis=0, out=found[start:end], mode="clip")
                if not self._keeps_pages:
                    segment.release()
        return torch.from_numpy(found.reshape(num_runs, width)).view(torch.bfloat16)


def map_segment(path: Path, lengths: IntArray) -> StateSegment:
    """A segment over a NumPy file of states; `ValueError` or `OSError` where it is none of ours."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != np.int16 or array.ndim != 2 or len(array) != lengths.sum():
        raise ValueError(f"{path}: expected the states of {lengths.sum()} tokens, found {array.shape}")
    mapping = array.base
    return StateSegment(lengths, array, mapping if isinstance(mapping, mmap.mmap) else None)
