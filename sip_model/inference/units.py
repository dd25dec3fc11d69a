"""The units of a text that a source is told of one by one, before they are smoothed along it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from sip_model.backbones.load import Backbone
from sip_model.backbones.state_store import StateStore
from sip_model.backbones.token_cache import text_slices
from sip_model.backbones.token_states import extract_token_states
from sip_model.corpora.chunking import word_spans
from sip_model.corpora.sentences import sentence_starts
from sip_model.identifiers.artifact import BackboneReading
from sip_model.identifiers.smoothing import INSIDE_SENTENCE, INSIDE_WORD, UnitEvidence
from sip_model.identifiers.token_identifier import TokenIdentifier
from sip_model.identifiers.token_rows import TokenRows

MAX_SENTENCE_WORDS = 32
"""Longer sentences are cut into units of about equal length."""

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LogOdds = Callable[[Sequence[str]], Array]
"""From n texts to an identifier's log-odds, (n, C)."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The m units of a text, m >= 1: they cover all of it but white space."""

    starts: IntArray
    ends: IntArray
    """(m,) code points of the text, ascending."""
    evidence: UnitEvidence

    @classmethod
    def of(cls, text: str, offsets: IntArray, log_odds: Array) -> Self:
        """Of the offsets (m, 2) of a text's units and what each tells, (m, C)."""
        return cls(offsets[:, 0], offsets[:, 1], UnitEvidence(log_odds, _costs(text, offsets)))

    @classmethod
    def joined(cls, text: str, parts: Sequence["Units"], starts: Sequence[int]) -> Self:
        """The units of parts of a text that stand one after the other.

        Args:
            text: the whole.
            parts: at least one.
            starts: where each begins in the text, in code points.
        """
        offsets = [
            np.column_stack([part.starts, part.ends]) + start
            for part, start in zip(parts, starts, strict=True)
        ]
        log_odds = np.concatenate([part.evidence.log_odds for part in parts])
        return cls.of(text, np.concatenate(offsets), log_odds)


def sentence_units(texts: Sequence[str], log_odds: LogOdds) -> list[Units]:
    """Sentences as units, each read as a text of its own; for identifiers of whole passages.

    What a sentence tells grows with the root of its words: twice as many are not twice as sure.

    Args:
        texts: n texts, none blank.
        log_odds: of sentences.
    """
    if not texts:
        return []
    offsets = [_sentences(text) for text in texts]
    parts = [
        text[start:end] for text, found in zip(texts, offsets, strict=True) for start, end in found.tolist()
    ]
    weights = np.sqrt([len(part.split()) for part in parts])
    weighted = log_odds(parts) * weights[:, None]
    edges = np.cumsum([len(found) for found in offsets])[:-1]
    return [
        Units.of(text, found, rows)
        for text, found, rows in zip(texts, offsets, np.split(weighted, edges), strict=True)
    ]


def token_units(
    texts: Sequence[str], identifier: TokenIdentifier, backbone: Backbone, reading: BackboneReading
) -> list[Units]:
    """Tokens as units, each with the log-odds of the n states that end with it.

    Args:
        texts: n texts that the backbone reads at once, none blank.
        identifier: token-level.
        backbone: the one it was trained on.
        reading: how.
    """
    found = []
    for taken in text_slices(texts):
        states = extract_token_states(backbone, taken, reading.layers[0], reading.max_tokens)
        rows = TokenRows(StateStore.in_memory(states), identifier.ngram)
        scored = list(identifier.token_scores(rows, rows.of(np.arange(len(taken)))))
        numbers = np.concatenate([np.zeros(0, np.int64), *(part.rows for part in scored)])
        nothing = np.zeros((0, len(identifier.sources)))
        logits = np.concatenate([nothing, *(part.logits for part in scored)])
        for text, start, end in zip(taken, rows.store.starts, rows.store.starts[1:], strict=False):
            if start == end:  # the tokenizer finds nothing in it, so that it tells nothing
                found.append(
                    Units.of(text, np.array([[0, len(text)]]), np.zeros((1, len(identifier.sources))))
                )
                continue
            # tokens before the n-th have no row of their own: that of the n-th stands for them
            places = np.clip(np.searchsorted(numbers, np.arange(start, end)), None, len(numbers) - 1)
            found.append(Units.of(text, states.offsets[start:end], logits[places]))
    return found


def _sentences(text: str) -> IntArray:
    """Start and end of the units of a text, (m, 2), without the white space around them."""
    words, word_ends = word_spans(text)
    if not len(words):
        return np.array([[0, len(text)]])
    firsts = np.unique(np.searchsorted(words, sentence_starts(text)))
    firsts = firsts[firsts < len(words)]
    cuts = [
        first + np.arange(pieces) * size // pieces
        for first, size in zip(firsts.tolist(), np.diff([*firsts.tolist(), len(words)]).tolist(), strict=True)
        for pieces in [-(-size // MAX_SENTENCE_WORDS)]
    ]
    first_words = np.concatenate(cuts)
    last_words = np.append(first_words[1:], len(words)) - 1
    return np.column_stack([words[first_words], word_ends[last_words]])


def _costs(text: str, offsets: IntArray) -> Array:
    """Of a change of source at the beginning of each unit, (m,)."""
    last = np.maximum(offsets[:, 1] - 1, offsets[:, 0])
    words, _ = word_spans(text)
    begins_word, begins_sentence = (
        np.diff(np.searchsorted(edges, last, side="right"), prepend=-1) > 0
        for edges in (words, sentence_starts(text))
    )
    return np.where(begins_sentence, 1.0, np.where(begins_word, INSIDE_SENTENCE, INSIDE_WORD))
