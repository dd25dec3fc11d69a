"""From what was read of texts to the training passages that back their answers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Self

import numpy as np

from sip_model.evidence.index import Candidates, EvidenceIndex, Query
from sip_model.evidence.passages import Passage
from sip_model.evidence.ranking import in_order
from sip_model.evidence.shared import SharedRun, SharedSpan, passages_touched, shared_runs, shared_spans
from sip_model.evidence.store import open_evidence
from sip_model.evidence.words import Words
from sip_model.experiments.evidence import EVIDENCE_FILE
from sip_model.inference.distributions import Evidence
from sip_model.inference.windows import Piece


class LazyEvidence:
    """An evidence index that is mapped into memory when it is first asked for.

    Args:
        folder: the model's files.
        sha256: of its evidence; None: it has none.
    """

    def __init__(self, folder: Path, sha256: str | None) -> None:
        self._path = folder / EVIDENCE_FILE
        self._sha256 = sha256
        self._index: EvidenceIndex | None = None
        self._opening = Lock()

    def index(self) -> EvidenceIndex | None:
        """The index; None where the model has none, or its passages were deleted with their dataset.

        Raises:
            ArtifactError: the file is damaged.
        """
        with self._opening:
            if self._index is None and self._sha256 is not None and self._path.is_file():
                self._index = open_evidence(self._path, self._sha256)
            return self._index


class _Segment(NamedTuple):
    """A piece with the pieces beside it: what is quoted may begin in one and end in another."""

    start: int
    """Code points of the text."""
    text: str

    @classmethod
    def around(cls, number: int, texts: Sequence[str], pieces: Sequence[Piece]) -> Self:
        """That of a piece."""
        piece = pieces[number]
        beside = [other for other in pieces[max(0, number - 1) : number + 2] if other.text == piece.text]
        return cls(beside[0].start, texts[piece.text][beside[0].start : beside[-1].end])


class _Chosen(NamedTuple):
    """A passage for a text, through one of its pieces."""

    piece: int
    rank: int
    """Among the candidates of the piece."""
    segment: _Segment
    words: Words
    """Of the segment."""
    runs: list[SharedRun]
    """Of the segment."""


def find_evidence(
    index: EvidenceIndex, query: Query, texts: Sequence[str], pieces: Sequence[Piece], k: int
) -> list[list[Evidence]]:
    """The k best passages of every text, over all sources.

    Args:
        index: of the training passages.
        query: the m pieces of the texts.
        texts: n texts.
        pieces: m, in the order of the texts.
        k: passages per text at most.
    """
    segments = [_Segment.around(number, texts, pieces) for number in range(len(pieces))]
    candidates = index.search(replace(query, contexts=[segment.text for segment in segments]))
    of_text: list[list[int]] = [[] for _ in texts]
    for number, piece in enumerate(pieces):
        of_text[piece.text].append(number)
    chosen: list[list[_Chosen]] = [[] for _ in texts]
    for row, numbers in zip(chosen, of_text, strict=True):
        for place, rank in _best(candidates, numbers, k):
            words = Words.of(segments[place].text)
            runs = shared_runs(index.verbatim, words, int(candidates[place].passages[rank]))
            row.append(_Chosen(place, rank, segments[place], words, runs))
    wanted = {int(candidates[c.piece].passages[c.rank]) for row in chosen for c in row}
    wanted.update(p for row in chosen for c in row for p in passages_touched(index.verbatim, c.runs))
    passages = index.passages.read(sorted(wanted))
    return [[_evidence(index, query, candidates, c, passages) for c in row] for row in chosen]


def _best(candidates: Sequence[Candidates], pieces: Sequence[int], k: int) -> list[tuple[int, int]]:
    """Piece and rank of the k best passages over all pieces of a text, none twice."""
    sizes = [min(k, len(candidates[piece].passages)) for piece in pieces]
    places = [(piece, rank) for piece, size in zip(pieces, sizes, strict=True) for rank in range(size)]
    quoted, relevance = (
        np.array([getattr(candidates[piece], name)[rank] for piece, rank in places])
        for name in ("quoted", "relevance")
    )
    best: dict[int, tuple[int, int]] = {}
    for number in in_order(quoted, relevance).tolist():
        piece, rank = places[number]
        best.setdefault(int(candidates[piece].passages[rank]), (piece, rank))
    return list(best.values())[:k]


def _evidence(
    index: EvidenceIndex,
    query: Query,
    candidates: Sequence[Candidates],
    chosen: _Chosen,
    passages: dict[int, Passage],
) -> Evidence:
    found, segment = candidates[chosen.piece], chosen.segment
    number = int(found.passages[chosen.rank])
    sources = index.sources_of(number)
    order = np.argsort(-query.log_probabilities[chosen.piece, sources], kind="stable")
    spans = shared_spans(index.verbatim, segment.text, chosen.words, chosen.runs, passages)
    by_features, by_words = found.signals[chosen.rank, :2].tolist()
    return Evidence(
        passages[number],
        tuple(sources[order].tolist()),
        by_words if index.vectors is None else by_features,
        tuple(_moved(span, segment.start) for span in spans),
    )


def _moved(span: SharedSpan, offset: int) -> SharedSpan:
    """From code points of a segment to those of its text."""
    return SharedSpan(
        span.start + offset, span.end + offset, span.document_start, span.document_end, span.words
    )
