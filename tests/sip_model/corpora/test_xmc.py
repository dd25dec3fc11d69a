import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sip_model.corpora.xmc import read_xmc
from sip_model.errors import CorpusError
from tests.sip_model.corpora.trees import write_folder, write_zip

Changes = dict[str, str | bytes]


def lines(*rows: Mapping[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


ROWS: Changes = {
    "trn.json.gz": gzip.compress(
        lines(
            {"uid": "B01", "title": "Worn ballet shoes", "content": "A novel.", "target_ind": [0, 2]},
            {"uid": "B02", "title": "Nothing to see", "content": "", "target_ind": []},
            {"uid": 7, "title": "Tin", "content": None, "target_ind": [1], "target_rel": [1.0]},
        ).encode()
    ),
    "tst.json": lines({"uid": "B01", "title": "", "content": "Unseen.", "target_ind": [2, 2]}),
    "lbl.json.gz": gzip.compress(
        lines({"uid": "L0", "title": "Dance"}, {"title": "Toys"}, {"title": "Dance"}, {"title": " "}).encode()
    ),
    "filter_labels_test.txt": "0 1\n",
}
SPARSE: Changes = {
    "raw/trn_X.txt": "a first text\na second text\n\n",
    "raw/tst_X.txt": "a third text",
    "trn_X_Y.txt": "3 2\n0:1.0 1:1.0\n1:0.5\n\n",
    "tst_X_Y.txt": "1 2\n0:1\n",
    "Yf.txt": "alpha\nbeta\n",
    "trn_X_Xf.txt": "3 5\n",
}


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_rows_with_their_labels_become_documents(tmp_path: Path, write: object) -> None:
    path = (write_zip if write is write_zip else write_folder)(tmp_path / "xmc", ROWS)
    documents = list(read_xmc(path))
    assert [(d.document, d.text, d.sources, d.split) for d in documents] == [
        ("trn/B01", "Worn ballet shoes\nA novel.", ("Dance (0)", "Dance (2)"), "train"),
        ("trn/7", "Tin", ("Toys",), "train"),
        ("tst/B01", "Unseen.", ("Dance (2)",), "test"),
    ]


def test_texts_beside_sparse_labels_become_documents(tmp_path: Path) -> None:
    documents = list(read_xmc(write_zip(tmp_path / "xmc.zip", SPARSE)))
    assert [(d.document, d.text, d.sources, d.split) for d in documents] == [
        ("trn/1", "a first text", ("alpha", "beta"), "train"),
        ("trn/2", "a second text", ("beta",), "train"),
        ("tst/1", "a third text", ("alpha",), "test"),
    ]


def test_names_of_labels_may_be_a_line_each_beside_rows(tmp_path: Path) -> None:
    files: Changes = {"trn.json": ROWS["trn.json.gz"], "Yf.txt": "a\nb\nc\n"}
    assert [d.sources for d in read_xmc(write_zip(tmp_path / "c.zip", files))] == [("a", "c"), ("b",)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tst.json": "{"}, r"^entry 'tst\.json'\.line 1: expected a JSON object"),
        ({"tst.json": lines({"title": "x"})}, r"^entry 'tst\.json'\.line 1\.target_ind: .* found none"),
        ({"tst.json": lines({"title": "x", "target_ind": "0"})}, r"target_ind: expected a list"),
        ({"tst.json": lines({"title": "x", "target_ind": [4]})}, "whole numbers from 0 to 3"),
        ({"tst.json": lines({"title": "x", "target_ind": [-1]})}, "whole numbers from 0 to 3"),
        ({"tst.json": lines({"title": "x", "target_ind": [True]})}, "whole numbers from 0 to 3"),
        ({"tst.json": lines({"title": 5, "target_ind": [0]})}, r"line 1\.title: expected a string"),
        ({"tst.json": lines({"title": " ", "target_ind": [0]})}, r"line 1\.text: expected text that is not"),
        ({"old/tst.json": "{}"}, r"^entry 'old/tst\.json': expected one file of this name; found entry 'tst"),
        ({"lbl.json.gz": b"[]\n"}, r"^entry 'lbl\.json\.gz'\.line 1: expected a JSON object"),
        ({"lbl.json.gz": lines({"title": 3})}, r"^entry 'lbl\.json\.gz'\.line 1\.title: expected a string"),
        ({"tst.json": gzip.compress(b"x" * 1000)[:-9]}, r"^entry 'tst\.json': expected a whole gzip file"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, changes: Changes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        list(read_xmc(write_zip(tmp_path / "c.zip", ROWS | changes)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trn_X_Y.txt": "x\n"}, r"^entry 'trn_X_Y\.txt'\.line 1: expected the numbers of documents"),
        ({"trn_X_Y.txt": ""}, r"^entry 'trn_X_Y\.txt'\.line 1: expected the numbers of documents"),
        ({"trn_X_Y.txt": "3 9\n"}, r"line 1: expected names for 9 labels; found 2 names"),
        ({"trn_X_Y.txt": "4 2\n0\n1\n\n0\n"}, r"^entry 'raw/trn_X\.txt': expected 4 documents"),
        ({"trn_X_Y.txt": "3 2\n0\n"}, r"^entry 'trn_X_Y\.txt': expected 3 documents, .* found 1"),
        ({"trn_X_Y.txt": "1 2\n0\n"}, r"^entry 'raw/trn_X\.txt': expected 1 documents; found more lines"),
        ({"trn_X_Y.txt": "3 2\n2:1.0\n\n\n"}, r"^entry 'trn_X_Y\.txt'\.line 2: expected labels from 0 to 1"),
        ({"trn_X_Y.txt": "3 2\n\n\n0\n"}, r"^entry 'raw/trn_X\.txt'\.line 3\.text: .* an empty string"),
        ({"raw/trn_X.txt": b"\xff\n"}, r"^entry 'raw/trn_X\.txt'\.line 1: expected UTF-8"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, changes: Changes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        list(read_xmc(write_zip(tmp_path / "c.zip", SPARSE | changes)))


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("Yf.txt", "found no names of labels"),
        ("raw/trn_X.txt", r"entry 'trn_X_Y\.txt': expected the texts in trn_X\.txt beside it; found none"),
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, left_out: str, message: str) -> None:
    files: Changes = {name: content for name, content in SPARSE.items() if name != left_out}
    with pytest.raises(CorpusError, match=message):
        list(read_xmc(write_zip(tmp_path / "c.zip", files)))
    with pytest.raises(CorpusError, match="found no documents"):
        list(read_xmc(write_zip(tmp_path / "d.zip", {"Yf.txt": "a\n"})))


LABELS = st.lists(st.sampled_from(["a", "b", "a (0)", "c"]), min_size=1, max_size=6)


@given(LABELS, st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_written_out_is_read_back(tmp_path: Path, labels: list[str], data: st.DataObject) -> None:
    numbers = st.lists(st.integers(0, len(labels) - 1), min_size=1, max_size=4)
    rows = data.draw(st.lists(st.tuples(st.text(min_size=1).map(repr), numbers), min_size=1, max_size=5))
    files: Changes = {
        "trn.json": lines(*({"title": text, "target_ind": [*chosen]} for text, chosen in rows)),
        "lbl.json": lines(*({"title": label} for label in labels)),
    }
    documents = list(read_xmc(write_zip(tmp_path / "c.zip", files)))
    assert [document.text for document in documents] == [text for text, _ in rows]
    for document, (_, chosen) in zip(documents, rows, strict=True):
        assert len(document.sources) == len(set(chosen))
        expected = [labels[number] for number in dict.fromkeys(chosen)]
        assert all(name.startswith(label) for name, label in zip(document.sources, expected, strict=True))
