"""What each character of a text adds to linear maps over its n-grams and its words; exact for that."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sip_model.evidence.words import Words
from sip_model.identifiers.branches import MIN_SPREAD, LexicalBranch
from sip_model.identifiers.ngrams import WORD_PATTERN, NgramSpec
from sip_model.identifiers.vocabulary import Vocabulary

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Ngram(NamedTuple):
    """One n-gram where it stands."""

    text: str
    spans: tuple[tuple[int, int], ...]
    """What it covers, in characters: one run, or one for each word of several."""


def character_parts(branch: LexicalBranch, text: str, direction: Array) -> Array:
    """How much each character adds to ``v · z``, with z the branch's logits, (characters,).

    An n-gram's part is its TF-IDF value times its weight, shared out evenly over the places where it stands
    and over the characters there. The parts add up to ``v · z`` but for what the map says of an empty text.
    Naive Bayes' logits are standardised: their standard deviation is taken as given.

    Args:
        branch: over the n-grams.
        text: any.
        direction: v, (C,), adding up to 0.
    """
    lowered = text.lower()
    ngrams = occurrences(branch.ngrams.spec, lowered)
    columns = branch.ngrams.columns([ngram.text for ngram in ngrams])  # (m,)
    places = np.flatnonzero(columns >= 0)
    parts = np.zeros(len(lowered))
    if len(places) == 0:
        return _of_original(parts, text)
    row = branch.ngrams([text])  # (1, U)
    values = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
    slopes = _slopes(branch, row @ branch.weight + np.float32(branch.bias), direction)  # (K,)
    counts = np.bincount(columns[places])
    for place in places.tolist():
        column = int(columns[place])
        part = values[column] * float(branch.weight[column] @ slopes) / counts[column]
        spans = ngrams[place].spans
        length = sum(end - start for start, end in spans)
        for start, end in spans:
            parts[start:end] += part / length
    return _of_original(parts, text)


def word_parts(vocabulary: Vocabulary, text: str, direction: Array, weights: Sequence[float]) -> Array:
    """How much each character adds to ``v · Σ_k w_k z_k``, with z_k the logits of the vocabulary's members,
    (characters,): a word's part is shared out evenly over the places where it stands.

    Args:
        vocabulary: of the sources.
        text: any.
        direction: v, (C,).
        weights: w, of words and of names.
    """
    parts = np.zeros(len(text))
    found, words = vocabulary.weighed([text]), Words.of(text)
    of_all, of_names = weights
    known = np.flatnonzero(found.columns >= 0)
    rows, sources = vocabulary.sources.pairs(found.columns[known])
    slopes = np.bincount(rows, direction[sources], len(known))  # (known,)
    values = slopes * found.weights[known] * (of_all + of_names * found.is_name[known])
    part_of = dict(zip(found.words[known].tolist(), values.tolist(), strict=True))
    counts = Counter(words.numbers.tolist())
    for word, start, end in zip(words.numbers.tolist(), words.starts, words.ends, strict=True):
        parts[start:end] += part_of.get(word, 0.0) / counts[word] / (end - start)
    return parts


def occurrences(spec: NgramSpec, lowered: str) -> list[Ngram]:
    """The n-grams of a text in small letters, as the vectorizer counts them."""
    if spec.analyzer == "char_wb":
        return [
            ngram
            for word in re.finditer(r"\S+", lowered)
            for ngram in _of_word(word.group(), word.start(), spec)
        ]
    words = list(re.finditer(WORD_PATTERN, lowered))
    return [
        Ngram(" ".join(word.group() for word in run), tuple(word.span() for word in run))
        for size in range(spec.shortest, spec.longest + 1)
        for run in (words[first : first + size] for first in range(len(words) - size + 1))
    ]


def _of_word(word: str, start: int, spec: NgramSpec) -> list[Ngram]:
    """Character n-grams of a word with a space on either side; one too short for a length counts once."""
    padded = f" {word} "
    found: list[Ngram] = []
    for size in range(spec.shortest, spec.longest + 1):
        for first in range(max(1, len(padded) - size + 1)):
            run = padded[first : first + size]
            begin = max(start, start + first - 1)
            end = min(start + len(word), start + first - 1 + len(run))
            found.append(Ngram(run, ((begin, end),)))
        if len(padded) <= size:
            break
    return found


def _slopes(branch: LexicalBranch, outputs: npt.NDArray[np.float32], direction: Array) -> Array:
    """Gradient of ``v · z`` by the map's outputs, (K,); outputs are (1, K)."""
    v = torch.from_numpy(direction)
    if branch.ngrams.spec.member == "naive_bayes":
        spread = max(float(outputs.std()), MIN_SPREAD)
        return np.asarray((direction - direction.mean()) / spread)
    of_map = torch.from_numpy(outputs).requires_grad_()
    value = branch.loss.logits(of_map, branch.num_sources)[0].double() @ v
    (gradient,) = torch.autograd.grad(value, of_map)
    return gradient[0].numpy()


def _of_original(parts: Array, text: str) -> Array:
    """From characters in small letters to those of the text: a few capitals become two small letters."""
    lengths = [len(character.lower()) for character in text]
    if len(parts) == len(text):
        return parts
    owners = np.repeat(np.arange(len(text)), lengths)
    return np.bincount(owners, weights=parts, minlength=len(text)).astype(np.float64)


def words_of(text: str) -> IntArray:
    """Start and end of the words and punctuation marks of a text, (T, 2)."""
    return np.array([word.span() for word in re.finditer(WORD_PATTERN, text)], np.int64).reshape(-1, 2)
