"""What a corpus says of its sources."""

from pathlib import Path

import pytest

from sip_model.corpora.categories import source_categories
from sip_model.corpora.document import Document
from sip_model.corpora.store import Corpus, write_corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Three sources; `b` has two documents that disagree in all but their author."""
    documents = [
        Document(
            document="1", text="x", sources=("a",), author="Ann", metadata={"genre": "novel", "year": 1850}
        ),
        Document(document="2", text="y", sources=("b",), author="Bob", metadata={"genre": "novel"}),
        Document(document="3", text="z", sources=("b",), author="Bob", metadata={"genre": ["play", "novel"]}),
        Document(
            document="4", text="w", sources=("c", "a"), author="Ann", metadata={"genre": {"of": "novel"}}
        ),
    ]
    path = tmp_path / "corpus.parquet"
    write_corpus(documents, path)
    return Corpus(path)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("author", ("Ann", "Bob", "Ann")),
        ("genre", (None, None, None)),
        ("year", (None, None, None)),
        ("shelf", (None, None, None)),
    ],
)
def test_a_source_has_the_value_its_documents_agree_on(
    corpus: Corpus, field: str, expected: tuple[str | None, ...]
) -> None:
    assert source_categories(corpus, ("a", "b", "c"), field) == expected


def test_numbers_are_names_and_of_a_list_the_first_entry_counts(tmp_path: Path) -> None:
    documents = [
        Document(document="1", text="x", sources=("a",), metadata={"labels": ["11", "111"], "year": 1850}),
        Document(document="2", text="y", sources=("a",), metadata={"labels": ["11", "112"], "year": 1850}),
        Document(document="3", text="z", sources=("b",), metadata={"labels": [], "year": True}),
    ]
    write_corpus(documents, tmp_path / "corpus.parquet")
    corpus = Corpus(tmp_path / "corpus.parquet")
    assert source_categories(corpus, ("a", "b"), "labels") == ("11", None)
    assert source_categories(corpus, ("b", "a"), "year") == ("True", "1850")
