"""The control task of probing: random labels, as many and as frequent as the sources, on recurring words.

A probe that scores high may read what it is asked for off the features, or may be large enough to learn any
labelling. Hewitt and Liang (2019, arXiv 1909.03368) tell the two apart by a control: labels drawn at random
for *types* (words), so that nothing but the identity of the word can be learned, and a word met in training
has the same label in test. *Selectivity* is the accuracy on the task less that on the control.

What is to recur here? Not the source or its document: a random label per document renames the sources where
each has one document (books, articles), and can't be met again in test where documents are single texts.
Words recur in all corpora, so a chunk's type is its **content word**: of the words found in no more training
chunks than the largest source has, the one most often in the chunk; among equals the one in most training
chunks. The cap is what makes a word one of content: a more common one could not have a label as rare as the
sources'.

What it can't do: words tell of sources (names of characters do), so features that hold the source alone score
somewhat above chance on the control.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.positives import IntArray, Positives

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, eq=False)
class ControlTask:
    """Labels of n chunks, 0 to C − 1."""

    positives: Positives
    """One label each."""
    known: npt.NDArray[np.bool_]
    """(n,) whether a training chunk is of the same type; the label of another one can only be guessed."""


def chunk_types(texts: Sequence[str], train: IntArray, largest: int) -> list[str]:
    """The type of each of n chunks.

    Args:
        texts: n chunks.
        train: those of the training part; only they decide which words are of content.
        largest: number of training chunks of the largest source.
    """
    counts = [Counter(_WORD.findall(text.lower())) for text in texts]
    chunks_with = Counter(word for row in train.tolist() for word in counts[row])
    return [_type(words, chunks_with, largest) for words in counts]


def _type(words: Counter[str], chunks_with: Counter[str], largest: int) -> str:
    content = [word for word in words if 0 < chunks_with[word] <= largest]
    if content:
        return min(content, key=lambda word: (-words[word], -chunks_with[word], word))
    # Common words alone, or ones training never met: the rarest; no words at all are a type as well.
    return min(words, key=lambda word: (chunks_with[word], word), default="")


def control_task(
    types: Sequence[str], train: IntArray, positives: Positives, seed: int | Sequence[int]
) -> ControlTask:
    """Draw a label per type so that the labels of the training chunks are as frequent as the sources.

    The types, those of most training chunks first, each draw a label in proportion to the chunks it still
    lacks.

    Args:
        types: of n chunks, see :func:`chunk_types`.
        train: the training part.
        positives: sources of the n chunks; only the training part's are looked at, and only counted.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    rows, sources = positives.pairs(train)
    shares = 1 / positives.counts[train][rows]
    wanted = np.bincount(sources, weights=shares).astype(np.float64, copy=False)  # (C,)
    lacking = wanted.copy()
    counts = Counter(types[row] for row in train.tolist())
    labels: dict[str, int] = {}
    places = generator.permutation(len(counts)).tolist()
    shuffled = [entry for _, entry in sorted(zip(places, sorted(counts.items()), strict=True))]
    for name, count in sorted(shuffled, key=lambda entry: -entry[1]):
        labels[name] = _draw(generator, lacking if lacking.max() > 0 else wanted)
        lacking[labels[name]] = max(lacking[labels[name]] - count, 0.0)
    for name in sorted(set(types) - labels.keys()):
        labels[name] = _draw(generator, wanted)
    chosen = np.array([labels[name] for name in types], dtype=np.int64)
    return ControlTask(
        Positives(np.arange(len(types) + 1), chosen), np.array([name in counts for name in types])
    )


def _draw(generator: np.random.Generator, shares: npt.NDArray[np.float64]) -> int:
    ends = np.cumsum(shares)
    return min(int(np.searchsorted(ends, generator.random() * ends[-1], side="right")), len(shares) - 1)
