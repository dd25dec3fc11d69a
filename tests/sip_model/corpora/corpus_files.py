"""Small corpora for tests."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from sip_model.corpora.document import JSON, Document
from sip_model.corpora.store import Corpus, write_corpus


def write_jsonl(path: Path, rows: Iterable[dict[str, JSON]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def words(prefix: str, count: int) -> str:
    """`count` words that occur nowhere else: `a0 a1 a2 …`."""
    return " ".join(f"{prefix}{number}" for number in range(count))


def document(
    name: str, text: str, *sources: str, split: str | None = None, author: str | None = None
) -> Document:
    return Document(document=name, text=text, sources=sources, split=split, author=author)


def make_corpus(path: Path, documents: Sequence[Document]) -> Corpus:
    write_corpus(documents, path)
    return Corpus(path)
