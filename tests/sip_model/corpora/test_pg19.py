from pathlib import Path

import pytest

from sip_model.corpora.pg19 import read_pg19
from sip_model.corpora.store import write_corpus
from sip_model.errors import CorpusError
from tests.sip_model.corpora.trees import Files, write_folder, write_zip

RELEASE: dict[str, str | bytes] = {
    "test/9.txt": "A third book.",
    "train/10.txt": "The tenth book, with, commas.",
    "train/2.txt": "\ufeffThe second book.",
    "validation/3.txt": "Another book.",
    "metadata.csv": (
        "2,Poems,1871,http://www.gutenberg.org/ebooks/2\n"
        '10,"Emma, a Novel",1815,http://www.gutenberg.org/ebooks/10\n'
        "3,Poems,1880,\n9,Walden,,\n400,A Book Left Out,1900,\n"
    ),
}


def test_the_release_becomes_a_document_per_book(tmp_path: Path) -> None:
    documents = list(read_pg19(write_zip(tmp_path / "pg19.zip", RELEASE)))
    assert [(d.document, d.sources, d.split, d.date) for d in documents] == [
        ("2", ("Poems (2)",), "train", "1871"),
        ("10", ("Emma, a Novel",), "train", "1815"),
        ("3", ("Poems (3)",), "validation", "1880"),
        ("9", ("Walden",), "test", None),
    ]
    assert documents[0].text == "The second book."
    assert documents[0].metadata == {"title": "Poems", "url": "http://www.gutenberg.org/ebooks/2"}
    assert all(document.author is None for document in documents)


def test_a_folder_a_zip_and_one_with_a_folder_around_are_the_same_corpus(tmp_path: Path) -> None:
    wrapped: Files = {f"deepmind-gutenberg/{name}": content for name, content in RELEASE.items()}
    paths = [
        write_folder(tmp_path / "pg19", RELEASE),
        write_zip(tmp_path / "pg19.zip", dict(reversed(RELEASE.items()))),
        write_zip(tmp_path / "wrapped.zip", wrapped),
    ]
    summaries = [write_corpus(read_pg19(path), tmp_path / "corpus") for path in paths]
    assert len({summary.sha256 for summary in summaries}) == 1
    assert summaries[0].num_sources == 4


def test_a_flat_folder_with_a_header_in_its_metadata_is_read(tmp_path: Path) -> None:
    files: Files = {
        "one.txt": "Book one.",
        "two.txt": "Book two.",
        "README.txt": "About these books.",
        "metadata.csv": "title,book_id,genre\nFirst,one,x\nSecond,two,y\n",
    }
    documents = list(read_pg19(write_folder(tmp_path / "books", files)))
    assert [(d.document, d.sources, d.split, d.date) for d in documents] == [
        ("one", ("First",), None, None),
        ("two", ("Second",), None, None),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"metadata.csv": ""},
            r"entry 'train/2\.txt': expected a row of metadata\.csv with its id",
        ),
        ({"metadata.csv": "a,b\n"}, r"entry 'metadata\.csv'\.line 1: expected the columns _id"),
        ({"metadata.csv": "2,Poems,1871\n"}, r"entry 'metadata\.csv'\.line 1: expected the columns"),
        ({"metadata.csv": "2,Poems,1871,\n3,x\n"}, r"entry 'metadata\.csv'\.line 2: expected 4 cells"),
        ({"metadata.csv": "2,a,,\n2,b,,\n"}, r"line 2\._id: expected each book once; found its id again"),
        ({"metadata.csv": "2,a,,\n,b,,\n"}, r"line 2\._id: expected a book's id; found none"),
        ({"metadata.csv": "2,,,\n"}, r"line 1\.short_book_title: expected a title; found none"),
        ({"metadata.csv": f"2,{'x' * 451},,\n"}, r"line 1\.short_book_title: expected at most 450"),
        ({"metadata.csv": b"2,\xff,,\n"}, r"entry 'metadata\.csv'\.line 1: expected UTF-8"),
        ({"train/9.txt": "again"}, r"entry 'train/9\.txt': expected each book once"),
        ({"train/10.txt": b"\x89PNG"}, r"entry 'train/10\.txt': expected UTF-8"),
        ({"train/10.txt": " \n"}, r"entry 'train/10\.txt'\.text: expected text that is not blank"),
        ({"train/10.txt": "x\0"}, r"entry 'train/10\.txt'\.text: expected text without NUL"),
        ({"train/more/7.txt": "x"}, r"entry 'train/more/7\.txt': expected metadata\.csv, and <book id>\.txt"),
        ({"train/7.pdf": "x"}, r"entry 'train/7\.pdf': expected"),
        ({"../7.txt": "x"}, "a path inside the archive"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, changes: dict[str, str | bytes], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        list(read_pg19(write_zip(tmp_path / "c.zip", RELEASE | changes)))


def test_a_release_without_metadata_is_refused(tmp_path: Path) -> None:
    files: Files = {name: content for name, content in RELEASE.items() if name != "metadata.csv"}
    with pytest.raises(CorpusError, match=r"found no metadata\.csv"):
        list(read_pg19(write_zip(tmp_path / "c.zip", files)))
