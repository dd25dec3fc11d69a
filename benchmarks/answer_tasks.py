"""What benchmarks/answers.py trains and asks: known texts and, to some tasks, texts of no known source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.protocol import CORPORA
from sip_model.corpora.chunking import iter_chunks
from sip_model.corpora.document import Document
from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.corpora.samples import Samples
from sip_model.experiments.config import ChunkConfig, SourcesConfig

MAX_CHUNKS = 40
"""Chunks of a text of no known source, evenly spaced, at most."""

LONG_TEXTS = SourcesConfig(limit=100)


@dataclass(frozen=True, slots=True)
class Task:
    """One corpus read in one way."""

    name: str
    corpus: str
    chunk: ChunkConfig
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    left_over: bool = False
    """Whether documents of the corpus' sources that take no part are asked about."""
    strangers: tuple[str, ...] = ()
    """Other corpora whose documents are asked about."""

    @property
    def slug(self) -> str:
        """Its name in those of files."""
        return self.name.replace(", ", "-").replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Stranger:
    """A text of no known source."""

    group: str
    document: str
    text: str


def _identification(corpus: str) -> Task:
    block = CORPORA[corpus]
    return Task(corpus, corpus, ChunkConfig(**block["chunk"]), SourcesConfig(**block.get("sources", {})))


TASKS: tuple[Task, ...] = (
    *(_identification(corpus) for corpus in CORPORA),
    Task(
        "books, 128 words",
        "books",
        ChunkConfig(num_words=128),
        LONG_TEXTS,
        left_over=True,
        strangers=("unknown_speeches",),
    ),
    Task("books, 400 words", "books", ChunkConfig(num_words=400), LONG_TEXTS, left_over=True),
    Task("clinc150", "clinc150", ChunkConfig(min_per_source=2), strangers=("unknown_clinc_oos",)),
)


def strangers_of(task: Task, samples: Samples, data: Path) -> Iterator[Stranger]:
    """The texts of no known source that a task asks about.

    Documents of the corpus itself are told apart by whether their author wrote a known source.
    """
    if task.left_over:
        for document in _documents(data, task.corpus):
            if set(document.sources).isdisjoint(samples.sources):
                is_same = document.author is not None and document.author in samples.authors
                yield from _cut(document, "same author" if is_same else "other author", task.chunk)
    for corpus in task.strangers:
        for document in _documents(data, corpus):
            yield from _cut(document, corpus, task.chunk)


def _documents(data: Path, corpus: str) -> Iterator[Document]:
    file = data / f"{corpus}.jsonl.gz"
    return read_corpus(file, detect_format(file.name))


def _cut(document: Document, group: str, chunk: ChunkConfig) -> Iterator[Stranger]:
    chunks = list(iter_chunks(document, chunk))
    evenly = np.unique(np.linspace(0, len(chunks) - 1, min(MAX_CHUNKS, len(chunks))).round().astype(int))
    for number in evenly.tolist():
        yield Stranger(group, document.document, chunks[number].text)
