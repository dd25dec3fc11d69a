"""The whole text of the parts of a corpus, not only its chunks: what language models read."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.corpora.chunking import IntArray, Offsets
from sip_model.corpora.given import given_parts
from sip_model.corpora.samples import Dealt, deal_chunks
from sip_model.corpora.split import LEFT_OUT, PARTS, TRAIN, PartArray
from sip_model.corpora.store import Corpus
from sip_model.errors import CorpusError
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig

TO_THE_END = np.iinfo(np.int64).max
"""As the end of a span: that of its document."""


@dataclass(frozen=True, slots=True, eq=False)
class PartSpans:
    """n stretches of the documents of a corpus, each of one part, in the order of the corpus."""

    documents: IntArray
    """(n,) number of the document in the corpus, ascending."""
    starts: IntArray
    ends: IntArray
    """(n,) code points of the document, ``text[start:end]``; `TO_THE_END` where it ends."""
    parts: PartArray
    """(n,) index into `PARTS`."""

    def __len__(self) -> int:
        return len(self.documents)

    def take(self, rows: IntArray | npt.NDArray[np.bool_]) -> "PartSpans":
        """The spans `rows`."""
        return PartSpans(self.documents[rows], self.starts[rows], self.ends[rows], self.parts[rows])

    def part(self, name: str) -> "PartSpans":
        """The spans of the part `name` of `PARTS`."""
        return self.take(self.parts == PARTS.index(name))

    def texts(self, corpus: Corpus) -> Iterator[str]:
        """The text of every span, in their order; memory is bounded by one row group of the corpus."""
        numbers, firsts = np.unique(self.documents, return_index=True)
        lasts = [*firsts[1:].tolist(), len(self)][: len(numbers)]
        documents = zip(corpus.documents_at(numbers), firsts.tolist(), lasts, strict=True)
        for (_, document), first, last in documents:
            for row in range(first, last):
                yield document.text[int(self.starts[row]) : int(self.ends[row])]


def part_spans(
    corpus: Corpus,
    chunk: ChunkConfig,
    sources: SourcesConfig,
    split: SplitConfig,
    seed: int,
    offsets: Offsets | None = None,
) -> PartSpans:
    """The stretches of text between the kept chunks of `prepare_samples` that belong to one part.

    Kept chunks that follow one another in the same part make one stretch, with all the text between them.
    The text between two parts belongs to neither. A document without any kept chunk is in the train part,
    or with `split.by: "given"` in the part it says; where it says none it is left out.

    Args and errors as in :func:`sip_model.corpora.samples.prepare_samples`; with the same arguments the
    samples of a part lie in the spans of that part.
    """
    dealt = deal_chunks(corpus, chunk, sources, split, seed, offsets)
    inside = _runs(dealt)
    whole = _untouched(corpus, dealt, split)
    order = np.argsort(np.concatenate([inside.documents, whole.documents]), kind="stable")
    return PartSpans(
        np.concatenate([inside.documents, whole.documents]),
        np.concatenate([inside.starts, whole.starts]),
        np.concatenate([inside.ends, whole.ends]),
        np.concatenate([inside.parts, whole.parts]),
    ).take(order)


def _runs(dealt: Dealt) -> PartSpans:
    """Of every document with kept chunks, the runs of chunks of one part."""
    documents, parts, pieces = dealt.kept.documents, dealt.parts, dealt.pieces
    changes = np.flatnonzero((np.diff(documents) != 0) | (np.diff(parts.astype(np.int64)) != 0)) + 1
    firsts = np.concatenate([np.zeros(1, np.int64), changes])
    lasts = np.append(changes, len(documents)) - 1
    opens = np.isin(firsts, np.unique(documents, return_index=True)[1])
    closes = np.append(documents[lasts[:-1]] != documents[lasts[:-1] + 1], True)
    return PartSpans(
        documents[firsts],
        np.where(opens, 0, pieces.starts[firsts]),
        np.where(closes, TO_THE_END, pieces.ends[lasts]),
        parts[firsts],
    ).take(parts[firsts] != LEFT_OUT)


def _untouched(corpus: Corpus, dealt: Dealt, split: SplitConfig) -> PartSpans:
    """The documents without any kept chunk, each whole."""
    numbers = np.setdiff1d(np.arange(len(dealt.inventory.num_chunks)), dealt.kept.documents)
    parts = np.full(len(numbers), TRAIN, np.uint8)
    if split.by == "given":
        for row, (_, document) in enumerate(corpus.documents_at(numbers)):
            try:
                parts[row] = given_parts([document.split], [document.document])[0]
            except CorpusError:
                parts[row] = LEFT_OUT
    zeros = np.zeros(len(numbers), np.int64)
    return PartSpans(numbers, zeros, np.full_like(zeros, TO_THE_END), parts).take(parts != LEFT_OUT)
