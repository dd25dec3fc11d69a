import gzip
from pathlib import Path

import pytest

from sip_model.corpora.csv import read_csv
from sip_model.errors import CorpusError


def write(path: Path, content: str) -> Path:
    path.write_text(content, newline="")
    return path


def test_rows_become_documents_and_empty_cells_are_absent(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", 'text,source,author,title\n"one, two\nthree",a,,T\nfour,b,Eliot,\n')
    first, second = read_csv(path)
    assert (first.text, first.sources, first.author) == ("one, two\nthree", ("a",), None)
    assert first.metadata == {"title": "T"}
    assert (second.text, second.author, second.metadata) == ("four", "Eliot", {})
    assert (first.document, second.document) == ("row-3", "row-4")


def test_sources_in_one_cell_are_separated_by_a_bar(tmp_path: Path) -> None:
    (document,) = read_csv(write(tmp_path / "c.csv", "sources,text\na| b|,x\n"))
    assert document.sources == ("a", "b")


def test_a_field_may_be_longer_than_the_csv_module_likes(tmp_path: Path) -> None:
    (document,) = read_csv(write(tmp_path / "c.csv", f"text,source\n{'word ' * 100_000},a\n"))
    assert len(document.text) == 500_000


def test_a_gzip_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.csv.gz"
    path.write_bytes(gzip.compress("\ufefftext,source\nx,a\n".encode()))
    assert [document.text for document in read_csv(path)] == ["x"]


@pytest.mark.parametrize(
    ("content", "loc", "expected"),
    [
        ("text,label\nx,a\n", ("line 1",), "a header with the columns"),
        ("text,source,text\nx,a,y\n", ("line 1",), "each column once"),
        ("text,source\nx,a\ny\n", ("line 3",), "2 cells"),
        ("text,source\nx,a,b\n", ("line 2",), "2 cells"),
        ('text,source\n"x,a\n', ("line 2",), "a CSV row"),
        ("text,source\nx,\n", ("line 2", "source"), "a source"),
        ("text,source\n,a\n", ("line 2", "text"), "a string"),
        ("text,sources\nx,|\n", ("line 2", "sources"), "one source or more"),
        ("text,source\nx\0,a\n", ("line 2", "text"), "without NUL"),
    ],
)
def test_a_bad_row_names_its_line(tmp_path: Path, content: str, loc: tuple[str, ...], expected: str) -> None:
    with pytest.raises(CorpusError) as caught:
        list(read_csv(write(tmp_path / "c.csv", content)))
    assert caught.value.loc == loc
    assert expected in caught.value.expected
