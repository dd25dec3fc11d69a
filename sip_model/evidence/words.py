"""The words that verbatim overlap is counted in: their identity and where they stand."""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]

# Scripts written without spaces between words: Thai to Myanmar, Khmer, kana, Han. There a character counts.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")

NO_WORD = 0
"""In place of a word's number: the words on both sides don't stand beside each other."""

_MULTIPLIER = 0x9E3779B97F4A7C15
"""2**64 / golden ratio, odd: spreads sums of word numbers over 64 bits (Knuth, multiplicative hashing)."""


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The m words of a text: runs of letters and digits, in whatever case."""

    numbers: Int32Array
    """(m,) equal words have equal numbers, never `NO_WORD`; others share one by chance, one in 2**32."""
    starts: IntArray
    ends: IntArray
    """(m,) code points of the text."""

    @classmethod
    def of(cls, text: str) -> "Words":
        """The words of a text in their order; there may be none."""
        spans = np.array([match.span() for match in _WORD.finditer(text)], np.int64).reshape(-1, 2)
        numbers = [_number(text[start:end].casefold()) for start, end in spans.tolist()]
        return cls(np.array(numbers, np.int32), spans[:, 0], spans[:, 1])


@lru_cache(maxsize=2**16)
def _number(word: str) -> int:
    # a lone surrogate is no valid UTF-8, yet a character like any other here
    digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, signed=True) or 1


def shingles_of(numbers: Int32Array, width: int) -> tuple[IntArray, IntArray]:
    """Hashes of all runs of words without a break in them (shingles, Broder 1997) and the place of each one's
    first word, (s,) each.

    Args:
        numbers: (m,) of words, `NO_WORD` where there is a break.
        width: words of a shingle.
    """
    num_shingles = max(0, len(numbers) - width + 1)
    hashes = np.zeros(num_shingles, np.uint64)
    whole = np.ones(num_shingles, np.bool_)
    for word in range(width):
        column = numbers[word : word + num_shingles]
        whole &= column != NO_WORD
        hashes = (hashes + column.astype(np.uint64)) * np.uint64(_MULTIPLIER)
        hashes ^= hashes >> np.uint64(32)
    places = np.flatnonzero(whole)
    return hashes[places].view(np.int64), places
