"""What a corpus consists of, counted while it streams by."""

import hashlib
import json
from dataclasses import dataclass

from sip_model.corpora.document import Document

_BLOCK_CHARACTERS = 2**20


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """One source of a corpus."""

    name: str
    num_documents: int
    num_words: int
    author: str | None
    """The author, where all documents of the source agree on one."""


@dataclass(frozen=True, slots=True)
class CorpusSummary:
    """A whole corpus."""

    num_documents: int
    num_sources: int
    num_bytes: int
    """UTF-8 bytes of text."""
    sha256: str
    """Of the documents in their order, whatever file format they came in."""
    sources: tuple[SourceSummary, ...]
    """In order of first appearance."""


class CorpusTally:
    """Counts documents, sources and words, and hashes the content, one document at a time."""

    def __init__(self) -> None:
        self.num_documents = 0
        self._num_bytes = 0
        self._sha256 = hashlib.sha256()
        self._documents: dict[str, int] = {}
        self._words: dict[str, int] = {}
        self._authors: dict[str, str | None] = {}

    @property
    def num_sources(self) -> int:
        return len(self._documents)

    def add(self, document: Document, metadata: str) -> None:
        """Count one document; `metadata` is its metadata as canonical JSON."""
        self.num_documents += 1
        text = document.text.encode()
        self._num_bytes += len(text)
        # Lengths first, so that no two sequences of fields give the same bytes.
        fields = [
            document.document,
            document.sources,
            document.author,
            document.date,
            document.split,
            metadata,
        ]
        head = json.dumps([*fields, len(text)], ensure_ascii=False)
        self._sha256.update(f"{len(head)} {head}".encode())
        self._sha256.update(text)
        num_words = count_words(document.text)
        for source in document.sources:
            first = source not in self._documents
            self._documents[source] = self._documents.get(source, 0) + 1
            self._words[source] = self._words.get(source, 0) + num_words
            if first:
                self._authors[source] = document.author
            elif self._authors[source] != document.author:
                self._authors[source] = None

    def summary(self) -> CorpusSummary:
        """What has been counted so far."""
        return CorpusSummary(
            num_documents=self.num_documents,
            num_sources=len(self._documents),
            num_bytes=self._num_bytes,
            sha256=self._sha256.hexdigest(),
            sources=tuple(
                SourceSummary(source, count, self._words[source], self._authors[source])
                for source, count in self._documents.items()
            ),
        )


def count_words(text: str) -> int:
    """Runs of non-space characters in `text`, counted block by block: a list of all words of a long
    document takes ten times the memory of the document."""
    num_words = 0
    joins = False
    for start in range(0, len(text), _BLOCK_CHARACTERS):
        block = text[start : start + _BLOCK_CHARACTERS]
        num_words += len(block.split())
        if joins and not block[0].isspace():
            num_words -= 1  # the word that spans the cut was counted on both sides
        joins = not block[-1].isspace()
    return num_words
