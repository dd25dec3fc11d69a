"""The cases of benchmarks/planted.py: passages that stand in two documents of a corpus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sip_model.corpora.chunking import iter_chunks, word_spans
from sip_model.corpora.document import Document
from sip_model.corpora.samples import Dealt
from sip_model.corpora.split import TRAIN
from sip_model.experiments.config import ChunkConfig

MAX_SHIFT = 16
"""Words by which a passage that isn't planted in place of a chunk is moved, at most: half of a chunk."""


@dataclass(frozen=True, slots=True)
class Plant:
    """A passage in a document, in place of as many words."""

    document: str
    first_word: int
    passage: str


@dataclass(frozen=True, slots=True)
class Case:
    """A passage of a document that takes no part, planted in two that do."""

    passage: str
    sources: tuple[str, str]
    plants: tuple[Plant, Plant]
    is_whole: bool
    """Whether it is planted exactly where two chunks of the training part stood: one sample then holds all of
    it. Else it is moved by 1 to `MAX_SHIFT` words, and training sees a part of it in each document."""


def draw_cases(
    dealt: Dealt, documents: Sequence[Document], num_words: int, count: int, seed: int
) -> list[Case]:
    """`count` whole passages and as many moved ones.

    Args:
        dealt: the chunks of the corpus as it is, with their parts; one source per document.
        documents: all of the corpus, those of the sources that take no part included.
        num_words: of a chunk.
        count: of each kind.
        seed: draws passages and places.
    """
    generator = np.random.default_rng(seed)
    taking_part = {dealt.inventory.sources[number] for number in dealt.chosen.tolist()}
    passages = [
        chunk.text
        for document in documents
        if taking_part.isdisjoint(document.sources)
        for chunk in iter_chunks(document, ChunkConfig(num_words=num_words))
        if len(chunk.text.split()) == num_words
    ]
    drawn = generator.choice(len(passages), 2 * count, replace=False).tolist()
    source_of = {document.document: document.sources[0] for document in documents}
    places = _Places(dealt, source_of, generator)
    cases = []
    for number, passage in enumerate(passages[row] for row in drawn):
        is_whole = number < count
        plants = []
        for document, chunk in places.two():
            shift = 0 if is_whole else int(generator.integers(1, MAX_SHIFT + 1) * generator.choice([-1, 1]))
            plants.append(Plant(document, chunk * num_words + shift, passage))
        first, second = plants
        sources = source_of[first.document], source_of[second.document]
        cases.append(Case(passage, sources, (first, second), is_whole))
    return cases


class _Places:
    """Chunks of the training part that passages may be planted over: none of their neighbours is kept."""

    def __init__(self, dealt: Dealt, source_of: Mapping[str, str], generator: np.random.Generator) -> None:
        chunks, documents = dealt.kept.chunks.tolist(), dealt.pieces.documents
        kept = set(zip(documents, chunks, strict=True))
        free = [
            (document, chunk)
            for document, chunk, part in zip(documents, chunks, dealt.parts.tolist(), strict=True)
            if part == TRAIN and chunk and kept.isdisjoint([(document, chunk - 1), (document, chunk + 1)])
        ]
        self._free = [free[row] for row in generator.permutation(len(free)).tolist()]
        self._source_of = source_of

    def two(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Places in documents of two sources, each given once."""
        first = self._free.pop()
        source = self._source_of[first[0]]
        number = next(
            number
            for number in range(len(self._free) - 1, -1, -1)
            if self._source_of[self._free[number][0]] != source
        )
        return first, self._free.pop(number)


def planted(documents: Sequence[Document], cases: Sequence[Case]) -> Iterator[Document]:
    """The documents with the passages of all cases in them; every document keeps its number of words."""
    plants: dict[str, list[Plant]] = {}
    for case in cases:
        for plant in case.plants:
            plants.setdefault(plant.document, []).append(plant)
    for document in documents:
        text = _with_passages(document.text, plants.get(document.document, []))
        yield Document(document.document, text, document.sources, document.author)


def _with_passages(text: str, plants: Sequence[Plant]) -> str:
    starts, ends = word_spans(text)
    parts, end = [], 0
    for plant in sorted(plants, key=lambda plant: plant.first_word):
        last_word = plant.first_word + len(plant.passage.split()) - 1
        parts += [text[end : int(starts[plant.first_word])], plant.passage]
        end = int(ends[last_word])
    return "".join([*parts, text[end:]])
