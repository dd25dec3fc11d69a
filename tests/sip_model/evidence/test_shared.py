"""What exactly a text and a passage share, in code points of both."""

import numpy as np

from sip_model.evidence.passages import Passage
from sip_model.evidence.shared import SharedSpan, passages_touched, shared_runs, shared_spans
from sip_model.evidence.verbatim import VerbatimIndex
from sip_model.evidence.words import Words

DOCUMENT = "“Call me Ishmael.” Some years ago—never mind how long precisely—having little or no money."
CUT = DOCUMENT.index("how")
PASSAGES = [
    Passage("moby", 0, CUT - 1, DOCUMENT[: CUT - 1]),
    Passage("moby", CUT, len(DOCUMENT), DOCUMENT[CUT:]),
    Passage("other", 0, 22, "It was a dark evening."),
]
INDEX = VerbatimIndex.build(
    [passage.text for passage in PASSAGES],
    np.array([passage.start for passage in PASSAGES]),
    np.array([False, True, False]),
)


def spans(text: str, passage: int) -> list[SharedSpan]:
    words = Words.of(text)
    runs = shared_runs(INDEX, words, passage)
    touched = {number: PASSAGES[number] for number in passages_touched(INDEX, runs)}
    return shared_spans(INDEX, text, words, runs, touched)


def test_a_quotation_has_its_punctuation() -> None:
    text = "He wrote: “Call me Ishmael.” That is all."
    (span,) = spans(text, 0)
    assert text[span.start : span.end] == "“Call me Ishmael.”"
    assert DOCUMENT[span.document_start : span.document_end] == "“Call me Ishmael.”"
    assert span.words == 3


def test_a_quotation_over_the_border_of_passages_is_one_span() -> None:
    text = "Some years ago—never mind how long precisely"
    for passage in (0, 1):
        (span,) = spans(text, passage)
        assert (span.start, span.end) == (0, len(text))
        assert DOCUMENT[span.document_start : span.document_end] == text


def test_several_runs_come_in_the_order_of_the_text() -> None:
    text = "having little or no money, I say call me Ishmael, said he"
    found = spans(text, 1)
    assert [text[span.start : span.end] for span in found] == ["having little or no money"]
    found = spans("me Ishmael some years, call me Ishmael. Some years", 0)
    assert [span.words for span in found] == [5]


def test_punctuation_that_differs_is_left_out() -> None:
    text = "call me ishmael!"
    (span,) = spans(text, 0)
    assert text[span.start : span.end] == "call me ishmael"


def test_two_words_are_no_run_but_all_words_of_a_short_text_are() -> None:
    assert spans("some years later", 0) == []
    assert [span.words for span in spans("Some years", 0)] == [2]
    assert spans("?", 0) == []
