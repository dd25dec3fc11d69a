"""Which sources the words of a text are known from word for word, and how far to trust that.

A common sentence stands in many books. Members that generalise from their samples each have an opinion of
whose it is; where it stands is a fact that can be kept. Kept are hashes of runs of words, no text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from sip_model.evidence.ranking import MIN_QUOTED_WORDS, QUOTED_WORDS
from sip_model.evidence.words import NO_WORD, Int32Array, Words, shingles_of
from sip_model.identifiers.minimum import minimum
from sip_model.identifiers.positives import IntArray, Positives

PADDING = 1
"""Fills a short text up to a run of `QUOTED_WORDS` words, so that only another as short is the same."""
QUOTED_SHARE = 0.05
"""Share of the texts asked about that are taken to be copied from what was learned from."""
USUAL_SLOPE, SPREAD = 4.0, 3.0
"""Of the normal prior: bias around 0, slope around the first, with that standard deviation. Where a text as a
whole stands is then trusted to 98 %; a thousand texts outweigh it, a dozen don't."""
TEXTS_AT_ONCE = 1024

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Quotations:
    """The runs of `QUOTED_WORDS` words of what was learned from, and the sources they stand in.

    Of a text that has fewer words, `MIN_QUOTED_WORDS` or more, all of it is one run.
    """

    shingles: IntArray
    """(s,) hashes, ascending, each once."""
    sources: Positives
    """Of the s shingles."""
    num_sources: int
    """C"""

    @classmethod
    def build(cls, texts: Sequence[str], positives: Positives, num_sources: int) -> Self:
        """Remember n texts.

        Args:
            texts: n texts.
            positives: their sources.
            num_sources: C.
        """
        runs = [(found.shingles, found.texts + start) for start, found in _runs(texts)]
        shingles = np.concatenate([hashes for hashes, _ in runs] or [np.zeros(0, np.int64)])
        rows = np.concatenate([numbers for _, numbers in runs] or [np.zeros(0, np.int64)])
        distinct, numbers = np.unique(shingles, return_inverse=True)
        return cls(distinct, positives.grouped(rows, numbers, len(distinct)), num_sources)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]], num_sources: int) -> Self:
        """What :meth:`arrays` gave."""
        shingles = arrays["quotations.shingles"].astype(np.int64)
        return cls(shingles, Positives.from_arrays(arrays, "quotations"), num_sources)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store, by name."""
        return {"quotations.shingles": self.shingles, **self.sources.arrays("quotations")}

    def shares(self, texts: Sequence[str]) -> Array:
        """Share of the words of n texts that is known from each source, (n, C).

        A row sums to the share of words that stand in a known run of any source. It is divided among the
        sources by how many of the words stand in runs of theirs.
        """
        shares = np.zeros((len(texts), self.num_sources))
        if len(self.shingles) == 0:
            return shares
        for start, found in _runs(texts):
            places = np.minimum(np.searchsorted(self.shingles, found.shingles), len(self.shingles) - 1)
            is_known = np.flatnonzero(self.shingles[places] == found.shingles)
            for run in np.split(is_known, np.flatnonzero(np.diff(found.texts[is_known])) + 1):
                if len(run):
                    text = int(found.texts[run[0]])
                    rows, sources = self.sources.pairs(places[run])
                    shares[start + text] = self._row(
                        found.firsts[run][rows], sources, int(found.num_words[text])
                    )
        return shares

    def _row(self, firsts: IntArray, sources: IntArray, num_words: int) -> Array:
        """Of one text.

        Args:
            firsts: (p,) first word of a run that stands in a source.
            sources: (p,) that source.
            num_words: m of the text.
        """
        numbers, rows = np.unique(sources, return_inverse=True)
        edges = np.zeros((len(numbers), num_words + QUOTED_WORDS))
        np.add.at(edges, (rows, firsts), 1)
        np.add.at(edges, (rows, firsts + QUOTED_WORDS), -1)
        is_covered = np.cumsum(edges, axis=1)[:, :num_words] > 0  # (sources, m)
        covered = is_covered.sum(axis=1)
        row = np.zeros(self.num_sources)
        row[numbers] = is_covered.any(axis=0).mean() * covered / covered.sum()
        return row


@dataclass(frozen=True, slots=True)
class QuotationTrust:
    """How much of an answer the quotations make: ``u σ(bias + slope u)``, u the share of quoted words.

    Each word counts by what is known of it: the quoted ones by where they stand, as far as that is trusted,
    and the rest by what the members say. u is 1 for a text that as a whole stands in what was learned from.
    """

    bias: float
    slope: float
    """None below 0: the more is quoted, the more it is trusted."""

    @classmethod
    def fit(cls, probabilities: Array, quoted: Array, positives: Positives) -> Self:
        """Fit by the likelihood of the right sources, given that one text in twenty is copied.

        Texts that nothing was learned from share runs with others by chance or as phrases of their source:
        they say how far to trust a quotation in them. A copied text stands where it stands, whatever the
        members say: only its quotations count.

        Args:
            probabilities: (n, C) of the members, on samples that nothing was learned from, given that some
                known source is right.
            quoted: (n, C), see :meth:`Quotations.shares`.
            positives: of the n samples.
        """
        rows, sources = positives.pairs(np.arange(len(positives)))
        by_members, by_quotations = np.zeros(len(positives)), np.zeros(len(positives))
        np.add.at(by_members, rows, probabilities[rows, sources])
        np.add.at(by_quotations, rows, quoted[rows, sources])
        shares = quoted.sum(axis=1)
        told = np.flatnonzero(shares)
        # what was found, and a copied text
        mass = torch.from_numpy(np.append(by_members[told], 0.0))
        right = torch.from_numpy(np.append(by_quotations[told], 1.0))
        share = torch.from_numpy(np.append(shares[told], 1.0))
        counts = torch.ones(len(share), dtype=torch.float64)
        counts[-1] = QUOTED_SHARE * len(positives)

        usual = torch.tensor([0.0, USUAL_SLOPE], dtype=torch.float64)

        def objective(line: torch.Tensor) -> torch.Tensor:
            trust = torch.sigmoid(line[0] + line[1] * share)
            likelihood = (1 - trust * share) * mass + trust * right
            prior = (line - usual).square().sum() / (2 * SPREAD**2)
            return prior - (counts * likelihood.clamp_min(torch.finfo(torch.float64).tiny).log()).sum()

        bias, slope = minimum(objective, [0.0, USUAL_SLOPE], [(None, None), (0.0, None)]).tolist()
        return cls(bias, slope)

    def __call__(self, quoted: Array) -> Array:
        """How far the quotations of n texts are trusted, (n, C) -> (n,) from 0 to 1."""
        return np.asarray(1 / (1 + np.exp(-(self.bias + self.slope * quoted.sum(axis=1)))))


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """The r runs of q texts."""

    shingles: IntArray
    """(r,) hashes."""
    texts: IntArray
    """(r,) number of the text, ascending."""
    firsts: IntArray
    """(r,) number of the run's first word in its text."""
    num_words: IntArray
    """(q,)"""


def _runs(texts: Sequence[str]) -> Iterator[tuple[int, _Runs]]:
    """Those of all texts, some at a time, each time with the number of the first text."""
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        words = [Words.of(text).numbers for text in texts[start : start + TEXTS_AT_ONCE]]
        slots = [_slot(numbers) for numbers in words]
        edges = np.concatenate([[0], np.cumsum([len(slot) for slot in slots])])
        shingles, places = shingles_of(np.concatenate(slots), QUOTED_WORDS)
        owners = np.searchsorted(edges, places, side="right") - 1
        yield (
            start,
            _Runs(
                shingles,
                owners,
                places - edges[owners],
                np.array([len(numbers) for numbers in words], np.int64),
            ),
        )


def _slot(numbers: Int32Array) -> Int32Array:
    """The words of a text as they are hashed, with a break behind them."""
    num_padding = QUOTED_WORDS - len(numbers) if len(numbers) >= MIN_QUOTED_WORDS else 0
    padding = np.full(max(0, num_padding), PADDING, np.int32)
    return np.concatenate([numbers, padding, np.full(1, NO_WORD, np.int32)])
