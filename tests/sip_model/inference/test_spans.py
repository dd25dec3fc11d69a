"""Texts painted with their sources: units, stretches and what becomes of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from sip_model.corpora.chunking import word_offsets
from sip_model.identifiers.smoothing import INSIDE_SENTENCE, INSIDE_WORD, Smoothing
from sip_model.inference.spans import Painting, Read, change_points, fit_max_unknown, paint
from sip_model.inference.units import MAX_SENTENCE_WORDS, Units, sentence_units

WORDS = ("apple", "boat", "cloud")
SMOOTHING = Smoothing(penalty=2.0, scale=1.0, max_unknown=0.5)
TEXT = "An apple fell. An apple lay there.  A boat came. The boat went."


def counts(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """How often each source's word stands in each text, (n, 3)."""
    return np.array([[text.count(word) for word in WORDS] for text in texts], np.float64).reshape(-1, 3)


def read(texts: Sequence[str]) -> Read:
    """As sure as half of the texts' source words are of one kind; texts without one are unknown."""
    found = counts(texts) + 1e-3
    unknown = np.where(counts(texts).sum(axis=1) > 0, 0.1, 0.8)
    return Read(found / found.sum(axis=1, keepdims=True) * (1 - unknown)[:, None], unknown, unknown)


def painted(*texts: str) -> list[Painting]:
    return paint(texts, sentence_units(texts, counts), SMOOTHING, read, word_offsets)


def test_a_text_of_two_sources_has_two_spans_that_leave_nothing_but_space_between_them() -> None:
    (painting,) = painted(TEXT)
    first, second = painting.spans
    border = TEXT.index("A boat")
    assert TEXT[first.start : first.end] == TEXT[:border].strip()
    assert TEXT[second.start : second.end] == TEXT[border:]
    assert (first.source, second.source) == (0, 1)
    assert first.probability == pytest.approx(0.9, abs=1e-2)
    assert [TEXT[token.start : token.end] for token in painting.tokens] == TEXT.split()
    assert [token.source for token in painting.tokens] == [0] * 7 + [1] * 6
    assert all(0.4 < token.probability < 0.9 for token in painting.tokens)


def test_every_text_is_painted_as_if_it_were_alone() -> None:
    texts = [TEXT, "A cloud. No more.", TEXT[::-1]]
    together = painted(*texts)
    for text, painting in zip(texts, together, strict=True):
        (alone,) = painted(text)
        assert alone.spans == painting.spans
        assert alone.tokens == painting.tokens
    assert painted() == []


def test_a_stretch_that_reads_as_unknown_has_no_source_and_neighbours_without_one_are_joined() -> None:
    text = "An apple and an apple. Nothing here. Nor here. A boat and a boat."
    edges = np.array([[0, 22], [23, 36], [37, 46], [47, 65]])
    units = [Units.of(text, edges, 9 * np.eye(3)[[0, 1, 2, 0]])]
    (painting,) = paint([text], units, SMOOTHING, read, word_offsets)
    assert [span.source for span in painting.spans] == [0, None, 1]
    middle = painting.spans[1]
    assert text[middle.start : middle.end] == "Nothing here. Nor here."
    assert middle.probability == 0.8


def test_neighbours_that_read_as_the_same_source_become_one() -> None:
    text = "An apple fell. An apple lay there."
    units = [Units.of(text, np.array([[0, 14], [15, 34]]), np.array([[9.0, 0, 0], [0, 9.0, 0]]))]
    assert change_points(units[0], SMOOTHING).tolist() == [15]
    (painting,) = paint([text], units, SMOOTHING, read, word_offsets)
    assert [(span.start, span.end, span.source) for span in painting.spans] == [(0, 34, 0)]


def test_sentences_are_units_and_long_ones_are_cut_between_words() -> None:
    long = " ".join(["word"] * (2 * MAX_SENTENCE_WORDS + 5))
    text = f"  {long}. Short one."
    (units,) = sentence_units([text], counts)
    parts = [text[start:end] for start, end in zip(units.starts, units.ends, strict=True)]
    assert " ".join(parts) == text.strip()
    assert [len(part.split()) for part in parts] == [23, 23, 23, 2]
    assert units.evidence.costs.tolist() == [1.0, INSIDE_SENTENCE, INSIDE_SENTENCE, 1.0]
    (blank,) = sentence_units([" "], counts)
    assert (blank.starts.tolist(), blank.ends.tolist()) == ([0], [1])


def test_a_change_inside_a_word_costs_most() -> None:
    text = "Seen. Boating"
    units = Units.of(text, np.array([[0, 4], [4, 5], [6, 10], [10, 13]]), np.zeros((4, 3)))
    assert units.evidence.costs.tolist() == [1.0, INSIDE_WORD, 1.0, INSIDE_WORD]


def test_the_limit_of_unknown_leaves_a_share_of_the_texts_with_a_span_of_no_source() -> None:
    texts = [f"{'apple ' * (number + 1)}." for number in range(40)]

    def graded(parts: Sequence[str]) -> Read:
        unknown = 1 / (1 + counts(parts).sum(axis=1))
        return Read(counts(parts), unknown, unknown)

    units = sentence_units(texts, counts)
    fitted = fit_max_unknown(texts, units, SMOOTHING, graded, 0.05)
    rejected = [graded([text]).unknown_at_default[0] >= fitted.max_unknown for text in texts]
    assert 1 <= sum(rejected) <= 2
    assert fitted.penalty == SMOOTHING.penalty
