"""Finding what a text shares word for word with the training passages, without reading them.

The passages' words stand one after the other, as numbers; those of neighbouring passages of a document
without a break, so that a quotation may reach over their border. A sorted table of shingles (n words in a
row, Broder 1997) leads from any n words of a text to their places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from sip_model.evidence.words import NO_WORD, Int32Array, IntArray, Words, shingles_of

SHINGLE_WORDS = 4

# Places looked at per shingle: the phrases everybody writes lead nowhere, and a quotation has rarer ones.
MAX_PLACES = 64


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """r runs of words that a text shares with the passages."""

    texts: IntArray
    """(r,) number of the run's first word in the text."""
    places: IntArray
    """(r,) its number among the passages' words."""
    lengths: IntArray
    """(r,) words, `SHINGLE_WORDS` or more; no run can be made longer."""


@dataclass(frozen=True, slots=True, eq=False)
class VerbatimIndex:
    """The words of n passages and the table of their shingles."""

    numbers: Int32Array
    """(w,) of all words, with a `NO_WORD` before, between and after passages that aren't neighbours."""
    starts: Int32Array
    ends: Int32Array
    """(w,) code points of each word's document; -1 where there is none."""
    firsts: IntArray
    """(n,) place of each passage's first word."""
    counts: Int32Array
    """(n,) words of each passage."""
    shingles: IntArray
    """(s,) hashes, ascending."""
    places: Int32Array
    """(s,) place of each shingle's first word."""

    @classmethod
    def build(cls, texts: Sequence[str], offsets: IntArray, follows: npt.NDArray[np.bool_]) -> Self:
        """Index passages.

        Args:
            texts: n passages, neighbours one after the other.
            offsets: (n,) where each begins in its document, in code points.
            follows: (n,) whether a passage goes on where the one before it ends.
        """
        numbers, starts, ends = ([np.full(1, value, np.int32)] for value in (NO_WORD, -1, -1))
        firsts, counts, place = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.int32), 1
        for passage, text in enumerate(texts):
            if passage and not follows[passage]:
                for column, value in ((numbers, NO_WORD), (starts, -1), (ends, -1)):
                    column.append(np.full(1, value, np.int32))
                place += 1
            words, offset = Words.of(text), int(offsets[passage])
            numbers.append(words.numbers)
            starts.append((words.starts + offset).astype(np.int32))
            ends.append((words.ends + offset).astype(np.int32))
            firsts[passage], counts[passage] = place, len(words.numbers)
            place += len(words.numbers)
        for column, value in ((numbers, NO_WORD), (starts, -1), (ends, -1)):
            column.append(np.full(1, value, np.int32))
        joined = np.concatenate(numbers)
        shingles, places = shingles_of(joined, SHINGLE_WORDS)
        order = np.argsort(shingles, kind="stable")
        return cls(
            joined,
            np.concatenate(starts),
            np.concatenate(ends),
            firsts,
            counts,
            shingles[order],
            places[order].astype(np.int32),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """What :meth:`arrays` gave."""
        return cls(**{name: arrays[f"verbatim.{name}"] for name in cls.__slots__})  # type: ignore[arg-type]  # checked by sha256

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store, by name."""
        return {f"verbatim.{name}": getattr(self, name) for name in self.__slots__}

    def passages_at(self, places: IntArray | int) -> IntArray:
        """The passage that each place is in, (r,) -> (r,), or () -> ()."""
        return np.asarray(np.searchsorted(self.firsts, places, side="right") - 1)

    def runs(self, words: Words) -> Runs:
        """Every run of `SHINGLE_WORDS` or more words that a text shares with the passages, longest first.

        A run is missed only where each of its shingles stands in more than `MAX_PLACES` places.

        Args:
            words: m words of the text.
        """
        shifts = self._shifts(words.numbers)  # (d,)
        grid = shifts[:, None] + np.arange(len(words.numbers))  # (d, m)
        inside = (grid >= 0) & (grid < len(self.numbers))
        equal = inside & (self.numbers[np.where(inside, grid, 0)] == words.numbers)
        padded = np.zeros((len(shifts), len(words.numbers) + 2), np.int8)
        padded[:, 1:-1] = equal
        edges = np.diff(padded, axis=1)
        rows, begins = np.nonzero(edges == 1)
        lengths = np.nonzero(edges == -1)[1] - begins
        order = np.argsort(-lengths, kind="stable")
        order = order[lengths[order] >= SHINGLE_WORDS]
        return Runs(begins[order], shifts[rows[order]] + begins[order], lengths[order])

    def _shifts(self, numbers: Int32Array) -> IntArray:
        """Distances of places from words of the text at which they share a shingle, (d,), distinct."""
        shingles, words = shingles_of(numbers, SHINGLE_WORDS)
        lows = np.searchsorted(self.shingles, shingles, side="left")
        highs = np.searchsorted(self.shingles, shingles, side="right")
        found = (highs > lows) & (highs - lows <= MAX_PLACES)
        counts = (highs - lows)[found]
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        places = self.places[np.repeat(lows[found], counts) + within].astype(np.int64)
        return np.unique(places - np.repeat(words[found], counts))

    def longest_shared(self, words: Words, passages: IntArray) -> IntArray:
        """Words of the longest run a text shares with each of k passages, (k,).

        Args:
            words: m words of the text.
            passages: k numbers; a run ends where the passage does.
        """
        counts = self.counts[passages].astype(np.int64)
        within = np.arange(int(counts.max(initial=0)))  # (L,)
        is_word = within < counts[:, None]  # (k, L)
        theirs = np.where(
            is_word, self.numbers[np.where(is_word, self.firsts[passages][:, None] + within, 0)], 0
        )
        longest = np.zeros(len(passages), np.int64)
        ending = np.zeros((len(passages), len(within) + 1), np.int64)  # runs that end at each of their words
        for number in words.numbers:
            ending[:, 1:] = np.where(theirs == number, ending[:, :-1] + 1, 0)
            np.maximum(longest, ending.max(axis=1), out=longest)
        return longest

    def around(self, passage: int, reach: int) -> slice:
        """The places of a passage's words and of up to `reach` words on each side that stand beside them."""
        first = int(self.firsts[passage])
        last = first + int(self.counts[passage])
        before = np.flatnonzero(self.numbers[max(0, first - reach) : first] == NO_WORD)
        after = np.flatnonzero(self.numbers[last : last + reach] == NO_WORD)
        start = max(0, first - reach) + (int(before[-1]) + 1 if len(before) else 0)
        return slice(start, last + int(after[0]) if len(after) else min(last + reach, len(self.numbers)))
