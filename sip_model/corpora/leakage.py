"""Held-out text that stands in the training text too: found by its runs of words, and cut out."""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sip_model.corpora.chunking import IntArray, word_spans
from sip_model.corpora.duplicates import near_duplicate_clusters
from sip_model.corpora.spans import PartSpans
from sip_model.corpora.split import PARTS
from sip_model.corpora.store import Corpus

RUN_WORDS = 8
"""A run of so many words that held-out text and training text share is taken for a copy. A near-duplicate
of 9 words or more (three-word shingles alike by 0.8) shares one, whatever word of it was changed."""

_WEIGHTS = np.random.default_rng(0).integers(2**63, size=RUN_WORDS, dtype=np.uint64) | np.uint64(1)

Codes = npt.NDArray[np.uint64]


class Cleaned(NamedTuple):
    """Training text without held-out text."""

    spans: PartSpans
    num_words: int
    num_words_cut: int


class _Words:
    """Words as numbers, the same for words that differ in case only."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def codes(self, text: str) -> Codes:
        """(words,)"""
        codes = self._codes
        words = text.split()
        for word in words:
            if word not in codes:
                codes[word] = zlib.crc32(word.casefold().encode("utf-8", "surrogatepass"))
        return np.array([codes[word] for word in words], np.uint64)


def cut_held_out(corpora: Sequence[Corpus], spans: Sequence[PartSpans]) -> list[Cleaned]:
    """The train part of each corpus without what stands in the held-out parts of any of them.

    Held-out are validation, calibration and test. A run of `RUN_WORDS` words that they share is cut out of
    the training text, with as many words around it. Texts of fewer words are compared as wholes: one that is
    a near-duplicate of a held-out one is left out. Needs 8 bytes per held-out word.

    Args:
        corpora: M of them.
        spans: of each corpus, as `part_spans` found them.

    Returns:
        M times the spans of the train part, in the order of the corpus.
    """
    words = _Words()
    runs, short = _held_out(corpora, spans, words)
    cleaned = []
    for corpus, parts in zip(corpora, spans, strict=True):
        train = parts.part("train")
        cleaned.append(_without(train, corpus, words, runs, _is_copied(train, corpus, short)))
    return cleaned


def _held_out(
    corpora: Sequence[Corpus], spans: Sequence[PartSpans], words: _Words
) -> tuple[Codes, list[str]]:
    """The runs of words of all held-out text, sorted, and the texts that are too short to have any."""
    runs: list[Codes] = [np.zeros(0, np.uint64)]
    short: list[str] = []
    for corpus, parts in zip(corpora, spans, strict=True):
        held_out = parts.take(parts.parts != PARTS.index("train"))
        for text in held_out.texts(corpus):
            codes = words.codes(text)
            if len(codes) >= RUN_WORDS:
                runs.append(_runs(codes))
            else:
                short.append(text)
    return np.unique(np.concatenate(runs)), short


def _runs(codes: Codes) -> Codes:
    """A number for each run of `RUN_WORDS` words, (words - RUN_WORDS + 1,)."""
    num_runs = len(codes) - RUN_WORDS + 1
    total = np.zeros(num_runs, np.uint64)
    for place, weight in enumerate(_WEIGHTS):
        total += codes[place : place + num_runs] * weight  # modulo 2^64
    return total


def _is_copied(train: PartSpans, corpus: Corpus, short: list[str]) -> set[int]:
    """Rows of the short training texts that are near-duplicates of short held-out ones."""
    if not short:
        return set()
    rows, texts = [], []
    for row, text in enumerate(train.texts(corpus)):
        if len(text.split(maxsplit=RUN_WORDS)) < RUN_WORDS:
            rows.append(row)
            texts.append(text)
    clusters = near_duplicate_clusters([*short, *texts])
    copied = np.isin(clusters[len(short) :], clusters[: len(short)])
    return set(np.array(rows, np.int64)[copied].tolist())


def _without(train: PartSpans, corpus: Corpus, words: _Words, runs: Codes, copied: set[int]) -> Cleaned:
    found: list[tuple[int, int, int]] = []  # row, start, end
    num_words = num_cut = 0
    for row, text in enumerate(train.texts(corpus)):
        codes = words.codes(text)
        num_words += len(codes)
        if row in copied or len(codes) == 0:
            num_cut += len(codes)
            continue
        keep = np.ones(len(codes), bool)
        if len(codes) >= RUN_WORDS and len(runs):
            numbers = _runs(codes)
            places = np.minimum(np.searchsorted(runs, numbers), len(runs) - 1)
            for hit in np.flatnonzero(runs[places] == numbers).tolist():
                keep[max(0, hit - RUN_WORDS) : hit + 2 * RUN_WORDS] = False
        if keep.all():
            found.append((row, int(train.starts[row]), int(train.ends[row])))
            continue
        num_cut += int(np.count_nonzero(~keep))
        found.extend((row, start, end) for start, end in _kept(text, keep, int(train.starts[row])))
    table = np.array(found, np.int64).reshape(-1, 3)
    rows: IntArray = table[:, 0]
    spans = PartSpans(train.documents[rows], table[:, 1], table[:, 2], train.parts[rows])
    return Cleaned(spans, num_words, num_cut)


def _kept(text: str, keep: npt.NDArray[np.bool_], offset: int) -> list[tuple[int, int]]:
    """Start and end of each run of kept words, moved by `offset`; runs shorter than `RUN_WORDS` go too."""
    starts, ends = word_spans(text)
    edges = np.diff(np.concatenate([[0], keep.astype(np.int8), [0]]))
    firsts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [
        (offset + int(starts[first]), offset + int(ends[last]))
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
        if last - first + 1 >= RUN_WORDS
    ]
