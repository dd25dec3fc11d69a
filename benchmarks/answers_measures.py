"""What is measured of a trained model's answers: evidence, quotations, sets."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from sip_model.backbones.cache import FeatureCache
from sip_model.backbones.extract import extract_features
from sip_model.corpora.chunking import word_spans
from sip_model.evidence.index import EvidenceIndex
from sip_model.evidence.passages import Passage
from sip_model.inference.distributions import Distributions, Evidence
from sip_model.inference.identify import LoadedModel, given_known

NEIGHBOURS = 2
"""Passages within so many lengths of a test passage, in its document, are no evidence for it."""
TEXTS_AT_ONCE = 256

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tested:
    """A passage of the test part."""

    document: str
    start: int
    end: int
    sources: list[str]


@dataclass(frozen=True, slots=True)
class EvidenceMeasured:
    """Of n test passages, in order."""

    documents: list[str]
    identifier: list[int]
    """1 where the identifier's first source is right."""
    evidence: list[int]
    """1 where the first passage of evidence is of a right source."""
    features_alone: list[int]
    """1 where the passage nearest in feature space, whatever else is known, is of a right source."""


@dataclass(frozen=True, slots=True)
class SetsMeasured:
    """Of n test passages, in order."""

    documents: list[str]
    covered: list[int]
    """1 where a right source is in the set."""
    sizes: list[int]
    """Sources in the set."""


@dataclass(frozen=True, slots=True)
class QuotesMeasured:
    """Of quotations drawn from the training passages."""

    documents: list[str]
    found: list[int]
    """1 where the first passage of evidence shares all of it and its offsets lead to the very words."""
    features_alone: list[int]
    """1 where the passage nearest in feature space holds its first or its last word."""


@dataclass(frozen=True, slots=True, eq=False)
class Measuring:
    """A trained model and the texts of its corpus."""

    model: LoadedModel
    index: EvidenceIndex
    kept: dict[int, Passage]
    """The index' passages by number."""
    texts: Mapping[str, str]
    """Document to text."""
    cache: FeatureCache
    """Of the service that trained the model."""

    @classmethod
    def of(cls, model: LoadedModel, texts: Mapping[str, str], features: Path) -> "Measuring":
        """With a model that keeps its passages, and the folder of features of the service that trained it."""
        index = model.evidence.index()
        assert index is not None, "the model keeps its passages"
        return cls(model, index, index.passages.read(range(len(index))), texts, FeatureCache(features))

    def answers(
        self, passages: Sequence[Tested], coverages: Sequence[float]
    ) -> tuple[EvidenceMeasured, dict[str, SetsMeasured]]:
        """First evidence over all sources, own neighbours left out, against the identifier's first source;
        and by coverage how often a set holds a right source."""
        numbers: dict[str, list[int]] = {}
        for number, kept in self.kept.items():
            numbers.setdefault(kept.document, []).append(number)
        measured = EvidenceMeasured([], [], [], [])
        sets = {f"{coverage:g}": SetsMeasured([], [], []) for coverage in coverages}
        for start in range(0, len(passages), TEXTS_AT_ONCE):
            part = passages[start : start + TEXTS_AT_ONCE]
            asked = [self.texts[passage.document][passage.start : passage.end] for passage in part]
            neighbours = [self._neighbours(passage, numbers.get(passage.document, [])) for passage in part]
            found = self.model.classify(asked, evidence=1, left_out=neighbours)
            assert found.evidence is not None
            nearest = self._nearest(asked, neighbours)
            for row, passage in enumerate(part):
                right = self._right(passage)
                measured.documents.append(passage.document)
                measured.identifier.append(int(int(found.probabilities[row].argmax()) in right))
                measured.evidence.append(int(not right.isdisjoint(found.evidence[row][0].sources)))
                sources = self.index.sources_of(int(nearest[row])).tolist()
                measured.features_alone.append(int(not right.isdisjoint(sources)))
            for coverage in coverages:
                self._add_sets(sets[f"{coverage:g}"], found, part, coverage)
        return measured, sets

    def _add_sets(
        self, measured: SetsMeasured, found: Distributions, part: Sequence[Tested], coverage: float
    ) -> None:
        support = self.model.artifact.support
        assert support is not None, "the model has sets"
        sets = support.conformal.sets(given_known(found.probabilities), coverage)
        for row, passage in enumerate(part):
            measured.documents.append(passage.document)
            measured.covered.append(int(sets[row, sorted(self._right(passage))].any()))
            measured.sizes.append(int(sets[row].sum()))

    def quotes(self, num_quotes: int, num_words: int, seed: int) -> QuotesMeasured:
        """Quotations of so many words from what the model has learned from, over the borders of passages too
        where they stand beside each other."""
        drawn = draw_quotes(self.kept, self.texts, num_quotes, num_words, seed)
        measured = QuotesMeasured([], [], [])
        for start in range(0, len(drawn), TEXTS_AT_ONCE):
            part = drawn[start : start + TEXTS_AT_ONCE]
            asked = [self.texts[quote.document][quote.start : quote.end] for quote in part]
            found = self.model.classify(asked, evidence=1).evidence
            assert found is not None
            nearest = self._nearest(asked, [np.zeros(0, np.int64)] * len(asked))
            for row, (quote, text) in enumerate(zip(part, asked, strict=True)):
                passage = self.kept[int(nearest[row])]
                edges = (quote.start, quote.end - 1)
                measured.documents.append(quote.document)
                measured.found.append(int(self._is_exact(text, found[row][0])))
                measured.features_alone.append(
                    int(
                        passage.document == quote.document
                        and any(passage.start <= edge < passage.end for edge in edges)
                    )
                )
        return measured

    def _is_exact(self, text: str, found: Evidence) -> bool:
        """Whether one shared span is the whole text, and its offsets lead to the same words."""
        document = self.texts[found.passage.document]
        return any(
            (span.start, span.end) == (0, len(text))
            and document[span.document_start : span.document_end].split() == text.split()
            for span in found.shared
        )

    def _right(self, passage: Tested) -> set[int]:
        known = self.model.sources
        return {known.index(source) for source in passage.sources if source in known}

    def _neighbours(self, passage: Tested, numbers: Sequence[int]) -> IntArray:
        """The passages of the same document that stand beside a test passage."""
        reach = NEIGHBOURS * (passage.end - passage.start)
        return np.array(
            [
                number
                for number in numbers
                if self.kept[number].start < passage.end + reach
                and self.kept[number].end > passage.start - reach
            ],
            np.int64,
        )

    def _nearest(self, texts: Sequence[str], left_out: Sequence[IntArray]) -> IntArray:
        """The passage nearest to each text in feature space, (q,)."""
        reading, backbone = self.model.artifact.reading, self.model.backbone
        assert reading is not None
        assert backbone is not None
        assert self.index.space is not None
        assert self.index.vectors is not None
        layers, pooling, max_tokens = reading.layers, reading.pooling, reading.max_tokens
        read = self.cache.features(
            backbone.info,
            reading.dtype,
            texts,
            layers,
            pooling,
            max_tokens,
            lambda missing: extract_features(backbone, missing, layers, pooling, max_tokens),
        )
        vectors = self.index.space(read.features.reshape(len(texts), -1))  # (q, d)
        cosines = vectors @ self.index.vectors.vectors.astype(np.float32).T  # (q, n)
        for row, numbers in enumerate(left_out):
            cosines[row, numbers] = -np.inf
        return np.asarray(cosines.argmax(axis=1))


class Quote(NamedTuple):
    """Words of a document."""

    document: str
    start: int
    end: int
    """Code points."""


def draw_quotes(
    kept: Mapping[int, Passage], texts: Mapping[str, str], num_quotes: int, num_words: int, seed: int
) -> list[Quote]:
    """Quotations that begin at any word, drawn without replacement; fewer where there aren't so many.

    Args:
        kept: the training passages by number, in order.
        texts: document to text.
        num_quotes: how many.
        num_words: runs of non-space characters in each.
        seed: of the draw.
    """
    possible: list[Quote] = []
    for document, start, end in _stretches(kept, texts):
        starts, ends = word_spans(texts[document][start:end])
        possible += [
            Quote(document, start + int(first), start + int(last))
            for first, last in zip(starts, ends[num_words - 1 :], strict=False)
        ]
    chosen = np.random.default_rng(seed).permutation(len(possible))[:num_quotes]
    return [possible[number] for number in np.sort(chosen).tolist()]


def _stretches(kept: Mapping[int, Passage], texts: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    """What the passages cover of each document, without a break: document, start and end."""
    current: tuple[str, int, int] | None = None
    for _, passage in sorted(kept.items()):
        if current is not None and current[0] == passage.document:
            between = texts[passage.document][current[2] : passage.start]
            if passage.start >= current[2] and not between.strip():
                current = (passage.document, current[1], passage.end)
                continue
        if current is not None:
            yield current
        current = (passage.document, passage.start, passage.end)
    if current is not None:
        yield current


def unpack_model(archive: Path, folder: Path) -> Path:
    """The files of a downloaded model."""
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    return folder


def read_test_part(predictions: Path) -> list[Tested]:
    """The test part of a training, from its predictions."""
    columns = ["document", "start", "end", "sources", "split"]
    rows = pq.read_table(predictions, columns=columns).to_pylist()
    return [
        Tested(row["document"], row["start"], row["end"], row["sources"])
        for row in rows
        if row["split"] == "test"
    ]
