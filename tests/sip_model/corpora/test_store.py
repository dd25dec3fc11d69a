import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sip_model.corpora import store
from sip_model.corpora.csv import read_csv
from sip_model.corpora.document import Document
from sip_model.corpora.jsonl import read_jsonl
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.errors import ArtifactError, CorpusError
from tests.sip_model.corpora.corpus_files import document, make_corpus, write_jsonl


def test_documents_come_back_as_they_were_written(tmp_path: Path) -> None:
    documents = [
        Document("1", "Ünï 字 🙂", ("a", "b"), "Au", "1900", "train", {"n": [1, {"x": None}]}),
        Document("2", "two", ("b",)),
    ]
    write_corpus(documents, tmp_path / "c.parquet")
    assert list(Corpus(tmp_path / "c.parquet").documents()) == documents


def test_the_summary_counts_documents_words_bytes_and_authors(tmp_path: Path) -> None:
    documents = [
        document("1", "one two", "b", author="X"),
        document("2", "drei \n vier fünf", "a", "b", author="X"),
        document("3", "six", "a", author="Y"),
    ]
    summary = write_corpus(documents, tmp_path / "c.parquet")
    assert (summary.num_documents, summary.num_sources, summary.num_bytes) == (3, 2, 27)
    assert [(s.name, s.num_documents, s.num_words, s.author) for s in summary.sources] == [
        ("b", 2, 5, "X"),
        ("a", 2, 4, None),
    ]


def test_the_hash_is_of_the_content_not_of_the_format(tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "c.jsonl",
        [{"text": "x", "source": "a"}, {"text": "y", "source": "b", "document": "row-3"}],
    )
    (tmp_path / "c.csv").write_text("text,source,document\nx,a,row-1\ny,b,\n")
    first = write_corpus(read_jsonl(tmp_path / "c.jsonl"), tmp_path / "1.parquet")
    second = write_corpus(read_csv(tmp_path / "c.csv"), tmp_path / "2.parquet")
    assert first == second


def test_any_changed_field_changes_the_hash(tmp_path: Path) -> None:
    base = Document("1", "x", ("a", "b"))
    variants = [
        base,
        replace(base, text="y"),
        replace(base, sources=("a", "c")),
        replace(base, author="x"),
        replace(base, date="x"),
        replace(base, metadata={"k": 1}),
    ]
    assert len({write_corpus([variant], tmp_path / "c.parquet").sha256 for variant in variants}) == len(
        variants
    )


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "file: expected one document or more; found none"),
        ([document("1", "x", "a"), document("2", "y", "a")], "sources: expected two sources or more"),
        (
            [document("1", "x", "a"), document("2", "y", "b"), document("1", "z", "b")],
            "document 3.document: expected an id used once; found the id of document 1 again",
        ),
        (
            [Document("1", "x", ("a", "b"), metadata={"n": float("inf")})],
            "document 1.metadata: expected finite",
        ),
    ],
)
def test_a_refused_corpus_leaves_no_file(tmp_path: Path, documents: list[Document], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        write_corpus(documents, tmp_path / "c.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_fails_half_way_leaves_the_old_corpus_untouched(tmp_path: Path) -> None:
    def broken() -> Iterator[Document]:
        yield document("1", "x", "a")
        raise CorpusError(("line 2",), "x", "y")

    make_corpus(tmp_path / "c.parquet", [document("old", "x", "a", "b")])
    with pytest.raises(CorpusError, match="line 2"):
        write_corpus(broken(), tmp_path / "c.parquet")
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.parquet"]
    assert next(Corpus(tmp_path / "c.parquet").documents()).document == "old"


def test_row_groups_are_bounded_and_those_not_asked_for_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_ROW_GROUP_ROWS", 10)
    corpus = make_corpus(
        tmp_path / "c.parquet", [document(f"{n}", f"text {n}", f"s{n % 2}") for n in range(35)]
    )
    assert pq.ParquetFile(corpus.path).num_row_groups == 4
    assert [d.document for d in corpus.documents()] == [str(n) for n in range(35)]
    found = list(corpus.documents_at(np.array([0, 9, 10, 34])))
    assert [(number, d.document) for number, d in found] == [(0, "0"), (9, "9"), (10, "10"), (34, "34")]


@pytest.mark.parametrize("content", [None, b"", b"no parquet at all"])
def test_a_missing_or_damaged_corpus_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "c.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtifactError, match="Add the dataset again"):
        list(Corpus(path).documents())


def test_another_parquet_file_is_no_corpus(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path / "c.parquet", [document("1", json.dumps("x"), "a", "b")])
    table = pq.read_table(corpus.path)
    pq.write_table(table.drop_columns(["split"]), corpus.path)
    with pytest.raises(ArtifactError, match="a normalised corpus"):
        list(corpus.documents())
