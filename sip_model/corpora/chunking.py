"""Cutting a document into chunks of so many words or tokens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from sip_model.corpora.document import Document
from sip_model.corpora.summary import count_words
from sip_model.experiments.config import ChunkConfig

Offsets = Callable[[str], list[tuple[int, int]]]
"""Start and end of every token of a text, in code points, special tokens left out."""

IntArray = npt.NDArray[np.int64]

_BLOCK_CHARACTERS = 2**20
_LAST_SPACE = 0x3000
"""The ideographic space: no white space in Unicode comes after it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document."""

    text: str
    start: int
    end: int
    """Code points of the document: ``document.text[start:end] == text``."""


def iter_chunks(document: Document, chunk: ChunkConfig, offsets: Offsets | None = None) -> Iterator[Chunk]:
    """All chunks of a document in order.

    A document shorter than a chunk is one chunk. A last piece of less than half a chunk is left out
    where the document has other chunks.

    Args:
        document: the document.
        chunk: only its length counts, not the limits per source.
        offsets: the tokenizer, needed when `chunk.num_tokens` is set.
    """
    starts, ends = chunk_spans(document.text, chunk, offsets)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield Chunk(document.text[start:end], start, end)


def chunk_spans(text: str, chunk: ChunkConfig, offsets: Offsets | None = None) -> tuple[IntArray, IntArray]:
    """Starts and ends of the chunks of `text`, each (n,) in code points, n ≥ 1.

    Raises:
        ValueError: `chunk.num_tokens` is set and there is no tokenizer.
    """
    if chunk.num_words is not None:
        starts, ends = word_spans(text)
        return _pieces(starts, ends, chunk.num_words)
    starts, ends = _token_spans(text, offsets)
    return _without_blanks(text, *_pieces(starts, ends, chunk.num_tokens or 1))


def count_chunks(text: str, chunk: ChunkConfig, offsets: Offsets | None = None) -> int:
    """How many chunks `chunk_spans` finds, without looking for their places where that can be avoided."""
    if chunk.num_words is None:
        return len(chunk_spans(text, chunk, offsets)[0])
    return _num_pieces(count_words(text), chunk.num_words)


def word_spans(text: str) -> tuple[IntArray, IntArray]:
    """Starts and ends of the words of `text` (runs of non-space characters), each (n,) in code points."""
    starts, ends = [np.zeros(0, np.int64)], []
    in_word = np.zeros(1, bool)
    for offset in range(0, len(text), _BLOCK_CHARACTERS):
        block = text[offset : offset + _BLOCK_CHARACTERS].encode("utf-32-le", "surrogatepass")
        letters = ~_is_space(np.frombuffer(block, np.uint32))  # (block,)
        edges = np.diff(np.concatenate([in_word, letters]).astype(np.int8))
        starts.append(np.flatnonzero(edges == 1) + offset)
        ends.append(np.flatnonzero(edges == -1) + offset)
        in_word = letters[-1:]
    ends.append(np.full(int(in_word[0]), len(text)))
    return np.concatenate(starts), np.concatenate(ends)


def word_offsets(text: str) -> list[tuple[int, int]]:
    """Start and end of each word of `text`, in code points."""
    starts, ends = word_spans(text)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _is_space(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    return np.asarray(_space_table()[np.minimum(codes, _LAST_SPACE + 1)])


@cache
def _space_table() -> npt.NDArray[np.bool_]:
    return np.array([chr(code).isspace() for code in range(_LAST_SPACE + 2)])


def _token_spans(text: str, offsets: Offsets | None) -> tuple[IntArray, IntArray]:
    if offsets is None:
        raise ValueError("chunk.num_tokens: expected the tokenizer's offsets with it")
    # A tokenizer that drops every character of a text leaves nothing to cut at.
    spans = np.array(offsets(text) or [(0, len(text))], np.int64)  # (tokens, 2)
    return spans[:, 0], spans[:, 1]


def _without_blanks(text: str, starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
    """The spans without the white space at their edges, and without those of nothing else."""
    trimmed = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        if start < end:
            trimmed.append((start, start + len(piece.strip())))
    spans = np.array(trimmed or [(0, len(text))], np.int64)
    return spans[:, 0], spans[:, 1]


def _num_pieces(num_units: int, length: int) -> int:
    whole, rest = divmod(num_units, length)
    return whole + (1 if whole == 0 or 2 * rest >= length else 0)


def _pieces(starts: IntArray, ends: IntArray, length: int) -> tuple[IntArray, IntArray]:
    firsts = np.arange(_num_pieces(len(starts), length)) * length  # (n,)
    lasts = np.minimum(firsts + length, len(starts)) - 1  # (n,)
    return starts[firsts], ends[lasts]
