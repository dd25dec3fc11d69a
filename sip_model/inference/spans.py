"""Texts painted with their sources: contiguous spans, and the tokens in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.smoothing import IntArray, Smoothing
from sip_model.inference.units import Units

Array = npt.NDArray[np.float64]

Offsets = Callable[[str], Sequence[tuple[int, int]]]
"""From a text to start and end of its tokens."""


class Read(NamedTuple):
    """What n texts come to, each read by itself."""

    probabilities: Array
    """(n, C); with `unknown` a row sums to 1."""
    unknown: Array
    """(n,)"""
    unknown_at_default: Array
    """(n,) at the default prior: what `Smoothing.max_unknown` is held against."""


ReadTexts = Callable[[Sequence[str]], Read]


class Span(NamedTuple):
    """A stretch of a text that is of one source."""

    start: int
    end: int
    """Code points of the text, without the white space around it."""
    source: int | None
    """None: of no known source."""
    probability: float
    """Of the source where the span is read as a text of its own; that of unknown where there is none."""


class PaintedToken(NamedTuple):
    """A token and the source of its span."""

    start: int
    end: int
    """Code points of the text."""
    source: int | None
    probability: float
    """The span's, times how probable it is that the token stands on this side of the changes around it."""


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """A text in spans, and its tokens."""

    spans: Sequence[Span]
    tokens: Sequence[PaintedToken]


class _Stretch(NamedTuple):
    """Units that are read together."""

    first: int
    last: int
    """Numbers of units; `last` is one after the last of them."""
    start: int
    end: int
    """Code points of the text."""


def paint(
    texts: Sequence[str], units: Sequence[Units], smoothing: Smoothing, read: ReadTexts, offsets: Offsets
) -> list[Painting]:
    """Spans and tokens of n texts.

    Where the source changes is told by the units, smoothed along the text; what each stretch between two
    changes is of, by reading it as a text of its own. Neighbours that come out alike become one and are read
    again.

    Args:
        texts: n texts, none blank.
        units: theirs.
        smoothing: fitted with the same kind of units.
        read: the identifier's answers.
        offsets: of the tokens to paint.
    """
    stretches = [_stretches(each, smoothing.path(each.evidence)) for each in units]
    while True:
        spans = _read_spans(texts, stretches, smoothing, read)
        joined = [_joined(*each) for each in zip(stretches, spans, strict=True)]
        if all(len(one) == len(other) for one, other in zip(joined, stretches, strict=True)):
            break
        stretches = joined
    return [
        Painting(found, _painted(of_text, found, each, smoothing, offsets(text)))
        for text, each, of_text, found in zip(texts, units, stretches, spans, strict=True)
    ]


def change_points(units: Units, smoothing: Smoothing) -> IntArray:
    """Code points at which the source of a text changes, by its units alone, ascending."""
    return np.array([each.start for each in _stretches(units, smoothing.path(units.evidence))[1:]], np.int64)


def fit_max_unknown(
    texts: Sequence[str],
    units: Sequence[Units],
    smoothing: Smoothing,
    read: ReadTexts,
    false_rejections: float,
) -> Smoothing:
    """With the threshold under which this share of the texts has a span that is taken for unknown.

    Args:
        texts: of known sources alone.
        units: theirs.
        smoothing: without a threshold.
        read: the identifier's answers.
        false_rejections: share of the texts.
    """
    stretches = [_stretches(each, smoothing.path(each.evidence)) for each in units]
    found = read(
        [text[each.start : each.end] for text, row in zip(texts, stretches, strict=True) for each in row]
    )
    firsts = np.cumsum([0, *(len(row) for row in stretches[:-1])])
    highest = np.maximum.reduceat(found.unknown_at_default, firsts)  # of each text
    quantile = float(np.quantile(highest, 1 - false_rejections, method="higher"))
    return replace(smoothing, max_unknown=min(float(np.nextafter(quantile, 2.0)), 1.0))


def _stretches(units: Units, path: IntArray) -> list[_Stretch]:
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    return [
        _Stretch(first, last, int(units.starts[first]), int(units.ends[last - 1]))
        for first, last in pairwise(edges)
    ]


def _read_spans(
    texts: Sequence[str], stretches: Sequence[Sequence[_Stretch]], smoothing: Smoothing, read: ReadTexts
) -> list[list[Span]]:
    found = read(
        [text[each.start : each.end] for text, row in zip(texts, stretches, strict=True) for each in row]
    )
    best = found.probabilities.argmax(axis=1)
    spans, number = [], 0
    for row in stretches:
        of_text = []
        for each in row:
            source, probability = int(best[number]), float(found.probabilities[number, best[number]])
            is_unknown = found.unknown_at_default[number] >= smoothing.max_unknown
            of_text.append(
                Span(each.start, each.end, None, float(found.unknown[number]))
                if is_unknown
                else Span(each.start, each.end, source, probability)
            )
            number += 1
        spans.append(of_text)
    return spans


def _joined(stretches: Sequence[_Stretch], spans: Sequence[Span]) -> list[_Stretch]:
    """Neighbours of the same source, or both of none, as one."""
    found = [stretches[0]]
    for (before, after), stretch in zip(pairwise(spans), stretches[1:], strict=True):
        if before.source == after.source:
            found[-1] = _Stretch(found[-1].first, stretch.last, found[-1].start, stretch.end)
        else:
            found.append(stretch)
    return found


def _painted(
    stretches: Sequence[_Stretch],
    spans: Sequence[Span],
    units: Units,
    smoothing: Smoothing,
    offsets: Sequence[tuple[int, int]],
) -> list[PaintedToken]:
    """Tokens of the part of the text that the units cover."""
    path = smoothing.path(units.evidence)
    here = smoothing.posterior(units.evidence)[np.arange(len(path)), path]  # (m,)
    firsts = np.array([stretch.first for stretch in stretches])
    tokens = []
    for start, end in offsets:
        unit = max(0, int(np.searchsorted(units.starts, end - 1, side="right")) - 1)
        if start >= units.ends[-1]:
            break
        span = spans[int(np.searchsorted(firsts, unit, side="right")) - 1]
        tokens.append(PaintedToken(start, end, span.source, span.probability * float(here[unit])))
    return tokens
