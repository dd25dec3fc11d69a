from pathlib import Path

import pytest

from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.errors import CorpusError


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("books.jsonl", "jsonl"),
        ("Books.JSONL.GZ", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.b.csv", "csv"),
        ("a.csv.gz", "csv"),
        ("a.parquet", "parquet"),
        ("a.parquet.gz", "parquet"),
        ("books.zip", "text_folder"),
        ("wikitext-103-raw-v1.zip", "wikitext"),
        ("wiki.train.tokens", "wikitext"),
        ("articles.txt.gz", "wikitext"),
        ("pg19.zip", "pg19"),
        ("LF-AmazonTitles-131K.raw.zip", "xmc"),
    ],
)
def test_the_file_name_tells_the_format(filename: str, expected: str) -> None:
    assert detect_format(filename) == expected


def test_another_ending_is_refused_with_the_endings_there_are() -> None:
    with pytest.raises(CorpusError, match=r"format: .*\.jsonl.* Rename the file"):
        detect_format("books.docx")


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="format: expected one of jsonl, csv, parquet, text_folder"):
        read_corpus(tmp_path / "missing", "docx")


def test_a_folder_in_a_format_of_one_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"format: expected one of text_folder, pg19, .* for a folder"):
        read_corpus(tmp_path, "jsonl")
