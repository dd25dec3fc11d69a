"""Long texts: read in windows that fit into the backbone, and put together again."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sip_model.backbones.load import Backbone

MAX_WINDOWS = 256
"""Of one text; what comes after them is not read."""
SPARE_TOKENS = 2
"""Room left in each window: cut out of its text a piece may have a token more."""

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Piece(NamedTuple):
    """What is read at once: a text, or a window of a long one."""

    text: int
    """Number of the text."""
    start: int
    end: int
    """Code points of the text."""


class Cut(NamedTuple):
    """n texts in m pieces."""

    pieces: list[Piece]
    """In the order of the texts, one or more for each."""
    truncated: npt.NDArray[np.bool_]
    """(n,) whether a text goes on after its last piece."""

    @property
    def owners(self) -> IntArray:
        """(m,) the text of each piece."""
        return np.array([piece.text for piece in self.pieces], np.int64)


def whole(texts: Sequence[str]) -> Cut:
    """Every text in one piece."""
    pieces = [Piece(number, 0, len(text)) for number, text in enumerate(texts)]
    return Cut(pieces, np.zeros(len(texts), np.bool_))


def cut(backbone: Backbone, texts: Sequence[str], max_tokens: int) -> Cut:
    """Texts of more tokens than are read at once in windows of about equal length, between words if possible.

    Args:
        backbone: whose tokens are counted.
        texts: n texts.
        max_tokens: read at once, special tokens included.
    """
    tokenizer = backbone.tokenizer
    limit = max(1, max_tokens - tokenizer.num_special_tokens_to_add(False))
    # no tokenizer makes more than a token of a byte
    long = [number for number, text in enumerate(texts) if len(text.encode("utf-8", "replace")) > limit]
    encodings = tokenizer.encode_batch([texts[number] for number in long], add_special_tokens=False)
    offsets = {
        number: encoding.offsets
        for number, encoding in zip(long, encodings, strict=True)
        if len(encoding.ids) > limit
    }
    room = max(1, limit - SPARE_TOKENS)
    pieces: list[Piece] = []
    truncated = np.zeros(len(texts), np.bool_)
    for number, text in enumerate(texts):
        starts = [start for start, end in offsets.get(number, []) if end > start]
        edges = [0, *(starts[edge] for edge in _edges(text, starts, room)), len(text)]
        truncated[number] = len(edges) - 1 > MAX_WINDOWS
        kept = edges[: MAX_WINDOWS + 1]
        pieces += [Piece(number, start, end) for start, end in pairwise(kept)]
    return Cut(pieces, truncated)


def pooled(logits: Array, owners: IntArray, weights: IntArray) -> Array:
    """Log-odds of the texts: the weighted means of those of their pieces, (m, C) -> (n, C).

    Args:
        logits: (m, C).
        owners: (m,) the text of each piece, ascending, none left out.
        weights: (m,) tokens of each piece.
    """
    if len(owners) == 0:
        return logits
    firsts = np.unique(owners, return_index=True)[1]
    tokens = np.maximum(weights, 1).astype(np.float64)
    shares = tokens / np.add.reduceat(tokens, firsts)[owners]  # exactly 1 for a text in one piece
    return np.asarray(np.add.reduceat(logits * shares[:, None], firsts))


def _edges(text: str, starts: Sequence[int], room: int) -> list[int]:
    """Numbers of the tokens at which a new window begins.

    Args:
        text: the text.
        starts: of its tokens, in code points.
        room: tokens per window at most.
    """
    edges: list[int] = []
    begin = 0
    while len(starts) - begin > room:
        rest = len(starts) - begin
        size = math.ceil(rest / math.ceil(rest / room))
        begins_word = (
            edge
            for edge in range(begin + size, begin + size // 2, -1)
            if text[starts[edge]].isspace() or text[starts[edge] - 1].isspace()
        )
        begin = next(begins_word, begin + size)
        edges.append(begin)
    return edges
