"""Long texts: read in windows, and put together again."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sip_model.backbones.load import Backbone
from sip_model.corpora.chunking import word_spans

MAX_WINDOWS = 256
"""Of one text; what comes after them is not read."""
LONG_TEXT = 2
"""One of more than so many times the words of the longest learned from is read in windows of that length."""
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


def cut(
    texts: Sequence[str], max_words: int | None, backbone: Backbone | None, max_tokens: int | None
) -> Cut:
    """Texts in pieces of about equal length each, cut between words where possible.

    Args:
        texts: n texts.
        max_words: of the longest text that was learned from; None: length alone is no reason to cut.
        backbone: whose tokens are counted; None: any length can be read at once.
        max_tokens: that the backbone reads at once, special tokens included.
    """
    edges = [_word_edges(text, max_words, has_limit=backbone is not None) for text in texts]
    if backbone is not None and max_tokens is not None:
        edges = _token_edges(texts, edges, backbone, max_tokens)
    pieces = [
        Piece(number, start, end)
        for number, of_text in enumerate(edges)
        for start, end in pairwise(of_text[: MAX_WINDOWS + 1])
    ]
    return Cut(pieces, np.array([len(of_text) - 1 > MAX_WINDOWS for of_text in edges], np.bool_))


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


def _word_edges(text: str, max_words: int | None, *, has_limit: bool) -> list[int]:
    """Where windows of that length begin, and the end of the text.

    Of a text that would have too many of them, windows are as long as the backbone reads at once or, where
    there is no such limit, as they must be.
    """
    whole = [0, len(text)]
    # words are separated by spaces: a text of w words has 2 w - 1 characters or more
    if max_words is None or len(text) < 2 * LONG_TEXT * max_words:
        return whole
    starts, _ = word_spans(text)
    if len(starts) <= LONG_TEXT * max_words:
        return whole
    num_windows = round(len(starts) / max_words)
    if num_windows > MAX_WINDOWS:
        if has_limit:
            return whole
        num_windows = MAX_WINDOWS
    first_words = np.arange(1, num_windows) * len(starts) // num_windows
    return [0, *starts[first_words].tolist(), len(text)]


def _token_edges(
    texts: Sequence[str], edges: Sequence[list[int]], backbone: Backbone, max_tokens: int
) -> list[list[int]]:
    """The edges, and further ones within windows of more tokens than are read at once."""
    tokenizer = backbone.tokenizer
    limit = max(1, max_tokens - tokenizer.num_special_tokens_to_add(False))
    # no tokenizer makes more than a token of a byte
    long = [
        (number, start, end)
        for number, (text, of_text) in enumerate(zip(texts, edges, strict=True))
        for start, end in pairwise(of_text)
        if len(text[start:end].encode("utf-8", "replace")) > limit
    ]
    encodings = tokenizer.encode_batch(
        [texts[number][start:end] for number, start, end in long], add_special_tokens=False
    )
    found = [set(of_text) for of_text in edges]
    for (number, start, end), encoding in zip(long, encodings, strict=True):
        if len(encoding.ids) > limit:
            starts = [first for first, last in encoding.offsets if last > first]
            window = texts[number][start:end]
            further = _edges(window, starts, max(1, limit - SPARE_TOKENS))
            found[number].update(start + starts[edge] for edge in further)
    return [sorted(of_text) for of_text in found]


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
