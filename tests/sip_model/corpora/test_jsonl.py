import gzip
import json
from pathlib import Path

import pytest

from sip_model.corpora.document import JSON
from sip_model.corpora.fields import MAX_TEXT_BYTES
from sip_model.corpora.jsonl import read_jsonl
from sip_model.errors import CorpusError
from tests.sip_model.corpora.corpus_files import write_jsonl


def test_a_row_becomes_a_document(tmp_path: Path) -> None:
    row: dict[str, JSON] = {
        "text": "It was.",
        "source": " Emma ",
        "document": 7,
        "author": "Austen",
        "date": 1815,
        "split": "train",
    }
    (document,) = read_jsonl(write_jsonl(tmp_path / "c.jsonl", [{**row, "title": "Emma", "year": None}]))
    assert document.text == "It was."
    assert document.sources == ("Emma",)
    assert (document.document, document.author, document.date, document.split) == (
        "7",
        "Austen",
        "1815",
        "train",
    )
    assert document.metadata == {"title": "Emma"}


def test_rows_without_a_document_get_ids_of_their_own(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "c.jsonl", [{"text": "same", "source": "a"}] * 3)
    assert [document.document for document in read_jsonl(path)] == ["row-1", "row-2", "row-3"]


@pytest.mark.parametrize("field", ["sources", "labels"])
def test_several_sources_are_kept_in_order_each_once(tmp_path: Path, field: str) -> None:
    (document,) = read_jsonl(write_jsonl(tmp_path / "c.jsonl", [{"text": "x", field: ["b", "a", " b", 3]}]))
    assert document.sources == ("b", "a", "3")
    assert document.metadata == {}


def test_source_wins_over_labels_which_become_metadata(tmp_path: Path) -> None:
    (document,) = read_jsonl(
        write_jsonl(tmp_path / "c.jsonl", [{"text": "x", "source": "a", "labels": ["b"]}])
    )
    assert document.sources == ("a",)
    assert document.metadata == {"labels": ["b"]}


def test_labels_count_where_source_is_null(tmp_path: Path) -> None:
    (document,) = read_jsonl(
        write_jsonl(tmp_path / "c.jsonl", [{"text": "x", "source": None, "labels": ["b"]}])
    )
    assert document.sources == ("b",)


def test_gzip_is_known_by_its_bytes_whatever_the_name(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(gzip.compress(b'{"text": "x", "source": "a"}\n'))
    assert [document.text for document in read_jsonl(path)] == ["x"]


def test_a_byte_order_mark_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "x", "source": "a"}\r\n\r\n  \n{"text": "y", "source": "a"}')
    assert [document.document for document in read_jsonl(path)] == ["row-1", "row-4"]


GOOD = b'{"text": "x", "source": "a"}\n'


@pytest.mark.parametrize(
    ("content", "loc", "expected", "found"),
    [
        (b"", ("file",), "one document or more", "0 bytes"),
        (GOOD + b'{"text": "x"', ("line 2",), "a JSON object", "a mistake at character 13"),
        (GOOD + b"[1]\n", ("line 2",), "a JSON object", "another JSON value"),
        (GOOD + b'{"text": NaN, "source": "a"}', ("line 2",), "a JSON object", "a number or a nesting"),
        (b"[" * 100_000, ("line 1",), "a JSON object", "a number or a nesting"),
        (GOOD + b'{"text": 5, "source": "a"}', ("line 2", "text"), "a string", "a number"),
        (b'{"source": "a"}', ("line 1", "text"), "a string", "none"),
        (
            b'{"text": " \\n", "source": "a"}',
            ("line 1", "text"),
            "text that is not blank",
            "white space only",
        ),
        (b'{"text": "", "source": "a"}', ("line 1", "text"), "text that is not blank", "an empty string"),
        (b'{"text": "x"}', ("line 1", "source"), "a source", "none"),
        (b'{"text": "x", "source": " "}', ("line 1", "source"), "a source's name", "a blank one"),
        (b'{"text": "x", "source": ["a"]}', ("line 1", "source"), "one name", "a list"),
        (
            b'{"text": "x", "source": true}',
            ("line 1", "source"),
            "a string or a whole number",
            "true or false",
        ),
        (b'{"text": "x", "sources": []}', ("line 1", "sources"), "one source or more", "an empty list"),
        (b'{"text": "x", "sources": "a"}', ("line 1", "sources"), "a list of names", "a string"),
        (
            b'{"text": "x", "sources": ["a", 1.5]}',
            ("line 1", "sources"),
            "a string or a whole number",
            "a number",
        ),
        (b'{"text": "x", "source": "a", "author": {}}', ("line 1", "author"), "a string", "an object"),
        (b'{"text": "a\\u0000b", "source": "a"}', ("line 1", "text"), "without NUL", "one at character 2"),
        (
            b'{"text": "a\\ud800", "source": "a"}',
            ("line 1", "text"),
            "whole Unicode",
            "surrogate pair at character 2",
        ),
        (GOOD + b'{"text": "\xff"}', ("line 2",), "UTF-8", "0xff at byte 11"),
        (b"\x89PNG\r\n\x1a\n", ("line 1",), "UTF-8", "0x89 at byte 1"),
        ("text,source".encode("utf-16"), ("line 1",), "UTF-8", "0xff at byte 1"),
        (
            b'{"text": "x", "source": "%s"}' % (b"a" * 501),
            ("line 1", "source"),
            "at most 500 characters",
            "501",
        ),
        (
            b'{"text": "x", "source": 1%s}' % (b"0" * 5000),
            ("line 1",),
            "a JSON object",
            "a number or a nesting",
        ),
    ],
)
def test_a_bad_line_names_line_field_expected_and_found(
    tmp_path: Path, content: bytes, loc: tuple[str, ...], expected: str, found: str
) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(content)
    with pytest.raises(CorpusError) as caught:
        list(read_jsonl(path))
    assert caught.value.loc == loc
    assert expected in caught.value.expected
    assert found in caught.value.found


def test_a_line_longer_than_the_limit_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    with path.open("wb") as file:
        file.write(GOOD)
        file.truncate(MAX_TEXT_BYTES + 100)
    with pytest.raises(CorpusError, match="line 2: expected at most 67108864 bytes"):
        list(read_jsonl(path))


def test_gzip_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl.gz"
    rows = "".join(json.dumps({"text": f"text {number}", "source": "a"}) + "\n" for number in range(1000))
    path.write_bytes(gzip.compress(rows.encode())[:-20])
    with pytest.raises(CorpusError, match="a whole gzip file; found one that is cut short"):
        list(read_jsonl(path))


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl.gz"
    content = bytearray(gzip.compress(GOOD * 1000))
    content[20] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="file: expected a gzip file; found one that is damaged"):
        list(read_jsonl(path))


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(70):
            file.write(b" " * 2**20 + b"\n")
    with pytest.raises(CorpusError, match="grows more than 200 times"):
        list(read_jsonl(path))


def test_documents_come_one_at_a_time_before_a_later_line_fails(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(GOOD + b"broken")
    documents = read_jsonl(path)
    assert next(documents).text == "x"
    with pytest.raises(CorpusError, match="line 2"):
        next(documents)
