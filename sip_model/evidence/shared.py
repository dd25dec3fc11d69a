"""What exactly a text and a passage share, in code points of both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from sip_model.evidence.passages import Passage
from sip_model.evidence.verbatim import VerbatimIndex
from sip_model.evidence.words import Words

MIN_SHARED_WORDS = 3


@dataclass(frozen=True, slots=True)
class SharedSpan:
    """A run of words that stands in the text and in the document of a passage."""

    start: int
    end: int
    """Code points of the text."""
    document_start: int
    document_end: int
    """Code points of the document; the run may reach into the passages before and after."""
    words: int


@dataclass(frozen=True, slots=True)
class SharedRun:
    """The same in words: `length` of them from number `text` of the text, from `place` of the index."""

    text: int
    place: int
    length: int


def shared_runs(index: VerbatimIndex, words: Words, passage: int) -> list[SharedRun]:
    """The runs a text shares with a passage, in their order in the text, none twice.

    The longest is taken first, then the longest on each side of it (Ratcliff and Metzener 1988).

    Args:
        index: of all passages.
        words: of the text.
        passage: number of the passage; a run that reaches over its border is followed into the next one.
    """
    around = index.around(passage, len(words.numbers))
    matcher = SequenceMatcher(None, words.numbers.tolist(), index.numbers[around].tolist(), autojunk=False)
    needed = min(MIN_SHARED_WORDS, len(words.numbers))
    first = int(index.firsts[passage])
    last = first + int(index.counts[passage])
    runs = [
        SharedRun(text, around.start + place, length) for text, place, length in matcher.get_matching_blocks()
    ]
    return [
        run for run in runs if run.length >= needed and run.place < last and run.place + run.length > first
    ]


def passages_touched(index: VerbatimIndex, runs: Iterable[SharedRun]) -> list[int]:
    """The passages in which runs begin and end."""
    places = {place for run in runs for place in (run.place, run.place + run.length - 1)}
    return [int(index.passages_at(place)) for place in sorted(places)]


def shared_spans(
    index: VerbatimIndex,
    text: str,
    words: Words,
    runs: Sequence[SharedRun],
    passages: Mapping[int, Passage],
) -> list[SharedSpan]:
    """Runs as spans, with the punctuation at their ends where both have the same.

    Args:
        index: of all passages.
        text: the text.
        words: its words.
        runs: what it shares with a passage.
        passages: those that :func:`passages_touched` named.
    """
    spans = []
    for run in runs:
        last = run.place + run.length - 1
        before, after = (passages[int(index.passages_at(place))] for place in (run.place, last))
        start, document_start = int(words.starts[run.text]), int(index.starts[run.place])
        end, document_end = int(words.ends[run.text + run.length - 1]), int(index.ends[last])
        left = _shared_punctuation(text[:start][::-1], before.text[: document_start - before.start][::-1])
        right = _shared_punctuation(text[end:], after.text[document_end - after.start :])
        spans.append(
            SharedSpan(start - left, end + right, document_start - left, document_end + right, run.length)
        )
    return spans


def _shared_punctuation(one: str, other: str) -> int:
    """Length of the common beginning of two texts that has neither word nor space at its end."""
    length = 0
    for place, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs and not (mine.isspace() and theirs.isspace()):
            break
        if mine.isalnum() or mine == "_":
            break
        if not mine.isspace():
            length = place + 1
    return length
