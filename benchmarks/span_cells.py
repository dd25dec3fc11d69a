"""One cell of benchmarks/spans.py: a corpus with a seed, trained as the service trains, and its spans."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from benchmarks.answer_tasks import Task
from benchmarks.sliding import choose_width, sliding_spans
from benchmarks.trained_models import Features, trained_task
from sip_model.backbones.tokens import Offsets, token_offsets
from sip_model.corpora.stitched import Stitched, stitch
from sip_model.inference.span_fitting import fit_spans
from sip_model.inference.spans import Span, paint

NUM_CHOSEN = 20
"""Texts that the width of the sliding windows is chosen on."""
MAX_TOKENS_OFF = 8
"""That the change of source may be off."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SpanCell:
    """n texts, those of two sources first; 1 where it is so, else 0."""

    sources: npt.NDArray[np.str_]
    """(n,) the first source of each."""
    stitched: Array
    """(n,) whether it has two sources."""
    words: Array
    """(n,)"""
    hybrid_spans: Array
    sliding_spans: Array
    """(n,) how many were found."""
    hybrid_changes: Array
    sliding_changes: Array
    """(n,) whether there are as many spans as sources, the change at most `MAX_TOKENS_OFF` tokens off."""
    hybrid_found: Array
    sliding_found: Array
    """(n,) whether the sources of the spans are right besides."""
    hybrid_near: Array
    sliding_near: Array
    """(n,) whether some change, of however many, is so near the right one."""
    settings: npt.NDArray[np.float64]
    """(4,) penalty, scale, max_unknown, and words of the sliding windows."""

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_name(f"{path.name}.part")
        with part.open("wb") as file:
            np.savez_compressed(file, **{each.name: getattr(self, each.name) for each in fields(self)})
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(**{each.name: arrays[each.name] for each in fields(cls)})


def run_cell(task: Task, seed: int, num_texts: int, data: Path, features: Features, work: Path) -> SpanCell:
    """Fit on the calibration part, ask about the test part: so many texts of two sources, and half as many
    of one."""
    trained = trained_task(task, seed, data, features, work)
    samples, model = trained.samples, trained.loaded
    calibration, test = samples.part("calibration"), samples.part("test")
    smoothing = fit_spans(model, samples, calibration, seed)
    assert smoothing is not None, "the corpus has texts of several sources"
    width = choose_width(model, stitch(samples, calibration, 2, NUM_CHOSEN, seed))
    texts = [
        *stitch(samples, test, 2, num_texts, seed),
        *stitch(samples, test, 1, num_texts // 2, seed),
    ]
    offsets, contents = token_offsets(features.backbone()), [text.text for text in texts]
    painted = paint(contents, model.units(contents), smoothing, model.read, offsets)
    found = {
        "hybrid": [list(painting.spans) for painting in painted],
        "sliding": sliding_spans(model, contents, width),
    }
    scores = {
        f"{name}_{measure}": np.array(
            [value(text, spans, offsets) for text, spans in zip(texts, of_name, strict=True)], np.float64
        )
        for name, of_name in found.items()
        for measure, value in MEASURES.items()
    }
    return SpanCell(
        sources=np.array([samples.sources[text.sources[0]] for text in texts]),
        stitched=np.array([len(text.sources) - 1 for text in texts], np.float64),
        words=np.array([len(text.text.split()) for text in texts], np.float64),
        settings=np.array([smoothing.penalty, smoothing.scale, smoothing.max_unknown, width]),
        **scores,
    )


def changes_rightly(text: Stitched, spans: Sequence[Span], offsets: Offsets) -> bool:
    """As many spans as sources, and every change near the right one."""
    return len(spans) == len(text.starts) and all(
        _tokens_off(text, span.start, start, offsets) <= MAX_TOKENS_OFF
        for span, start in zip(spans[1:], text.starts[1:], strict=True)
    )


def is_found(text: Stitched, spans: Sequence[Span], offsets: Offsets) -> bool:
    """The same, and the sources are right."""
    return changes_rightly(text, spans, offsets) and tuple(span.source for span in spans) == text.sources


def has_near_change(text: Stitched, spans: Sequence[Span], offsets: Offsets) -> bool:
    """Some change is near each right one."""
    return all(
        any(_tokens_off(text, span.start, start, offsets) <= MAX_TOKENS_OFF for span in spans[1:])
        for start in text.starts[1:]
    )


def num_spans(_text: Stitched, spans: Sequence[Span], _offsets: Offsets) -> int:
    """How many there are."""
    return len(spans)


MEASURES: dict[str, Callable[[Stitched, Sequence[Span], Offsets], float]] = {
    "spans": num_spans,
    "changes": changes_rightly,
    "found": is_found,
    "near": has_near_change,
}


def _tokens_off(text: Stitched, found: int, right: int, offsets: Offsets) -> int:
    starts = [start for start, _ in offsets(text.text)]
    return abs(int(np.searchsorted(starts, found)) - int(np.searchsorted(starts, right)))
