"""What spans are compared with: windows that slide over a text, each classified by itself."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sip_model.corpora.chunking import word_spans
from sip_model.corpora.sentences import sentence_starts
from sip_model.corpora.stitched import Stitched
from sip_model.inference.identify import LoadedModel
from sip_model.inference.spans import Span

WIDTHS = (24, 32, 48)
"""Words of a window that are tried."""
STEPS = 4
"""Windows begin so many times as often as they are long."""

IntArray = npt.NDArray[np.int64]


def choose_width(model: LoadedModel, texts: Sequence[Stitched]) -> int:
    """The width with which most texts fall into their sources, in order; of equally good ones the least."""
    contents = [text.text for text in texts]
    hits = [
        sum(
            tuple(span.source for span in spans) == text.sources
            for text, spans in zip(texts, sliding_spans(model, contents, width), strict=True)
        )
        for width in WIDTHS
    ]
    return WIDTHS[int(np.argmax(hits))]


def sliding_spans(model: LoadedModel, texts: Sequence[str], width: int) -> list[list[Span]]:
    """Every word takes the source that is most probable on average over the windows it lies in; a change is
    moved to the nearest beginning of a sentence, as spans mostly are.

    Args:
        model: a chunk-level one.
        texts: n texts.
        width: words of a window.
    """
    windows = [_windows(text, width) for text in texts]
    parts = [
        text[start:end] for text, found in zip(texts, windows, strict=True) for start, end in found.tolist()
    ]
    probabilities = model.read(parts).probabilities  # (windows, C)
    edges = np.cumsum([len(found) for found in windows])[:-1]
    return [
        _spans(text, found, rows)
        for text, found, rows in zip(texts, windows, np.split(probabilities, edges), strict=True)
    ]


def _windows(text: str, width: int) -> IntArray:
    """Start and end of the windows of a text, (w, 2)."""
    starts, ends = word_spans(text)
    last = max(0, len(starts) - width)
    firsts = np.unique(np.append(np.arange(0, last, width // STEPS), last))
    return np.column_stack([starts[firsts], ends[np.minimum(firsts + width, len(starts)) - 1]])


def _spans(text: str, windows: IntArray, probabilities: npt.NDArray[np.float64]) -> list[Span]:
    starts, _ = word_spans(text)
    lies_in = (windows[:, 0] <= starts[:, None]) & (starts[:, None] < windows[:, 1])  # (words, w)
    mean = (lies_in / lies_in.sum(axis=1, keepdims=True)) @ probabilities  # (words, C)
    sources = mean.argmax(axis=1)
    sentences = sentence_starts(text)
    changes = starts[np.flatnonzero(np.diff(sources)) + 1]
    firsts = [0, *(int(sentences[np.abs(sentences - change).argmin()]) for change in changes.tolist())]
    numbers = [int(sources[0]), *sources[np.flatnonzero(np.diff(sources)) + 1].tolist()]
    found = []
    for (first, end), source in zip(pairwise([*firsts, len(text)]), numbers, strict=True):
        inside = (starts >= first) & (starts < end)
        if inside.any():  # two changes moved to the same place leave nothing between them
            found.append(Span(first, end, source, float(mean[inside, source].mean())))
    return found
