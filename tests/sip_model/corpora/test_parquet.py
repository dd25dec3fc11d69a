import contextlib
import datetime
import decimal
import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sip_model.corpora.parquet import read_parquet
from sip_model.errors import CorpusError


def write(path: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_rows_become_documents(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "text": ["x", "y"],
        "sources": [["a", "b"], ["c"]],
        "date": [datetime.date(1900, 1, 2), None],
        "price": [decimal.Decimal("1.5"), None],
        "tags": [[1, 2], None],
    }
    first, second = read_parquet(write(tmp_path / "c.parquet", columns))
    assert (first.sources, first.date, first.document) == (("a", "b"), "1900-01-02", "row-1")
    assert first.metadata == {"price": "1.5", "tags": [1, 2]}
    assert (second.sources, second.date, second.metadata) == (("c",), None, {})


def test_a_gzip_file_is_unpacked_first(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": ["x"] * 200, "source": ["a"] * 200}), buffer)
    path = tmp_path / "c.parquet.gz"
    path.write_bytes(gzip.compress(buffer.getvalue()))
    assert len(list(read_parquet(path))) == 200


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "c.parquet", {"text": ["x"], "label": ["a"]})
    with pytest.raises(CorpusError, match="file: expected the columns `text` and `source`"):
        list(read_parquet(path))


def test_a_bad_row_names_row_and_field(tmp_path: Path) -> None:
    path = write(tmp_path / "c.parquet", {"text": ["x"] * 100, "source": ["a"] * 99 + [None]})
    with pytest.raises(CorpusError, match=r"row 100\.source: expected a source; found none"):
        list(read_parquet(path))


def test_binary_columns_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "c.parquet", {"text": ["x"], "source": ["a"], "image": [b"\x89PNG"]})
    with pytest.raises(CorpusError, match=r"row 1\.image: .* found bytes"):
        list(read_parquet(path))


@pytest.mark.parametrize("keep", [3, 100, -40])
def test_a_damaged_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = write(tmp_path / "c.parquet", {"text": ["x"] * 1000, "source": ["a"] * 1000})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorpusError, match="file: expected a Parquet file; found one that is damaged"):
        list(read_parquet(path))


def test_a_page_that_points_beyond_its_dictionary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    columns = {"text": [f"The sea {n}" for n in range(9)], "source": [f"s{n % 3}" for n in range(9)]}
    pq.write_table(pa.table(columns), path, compression="none")
    content = bytearray(path.read_bytes())
    assert content[14] == 2 * 9  # values of the dictionary, as a zigzag number
    content[14] = 2 * 8
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="file: expected a Parquet file; found one that is damaged"):
        list(read_parquet(path))


@pytest.mark.parametrize(
    ("number", "kind"),
    [(2**30, pa.date32()), (2**62, pa.timestamp("us")), (2**62, pa.duration("s"))],
    ids=str,
)
def test_times_that_no_calendar_has_are_refused(tmp_path: Path, number: int, kind: pa.DataType) -> None:
    whole = pa.array([number], pa.int32() if kind == pa.date32() else pa.int64())
    path = write(tmp_path / "c.parquet", {"text": ["x"], "source": ["a"], "when": whole.cast(kind)})
    with pytest.raises(CorpusError, match="row 1: expected times from year 1 to 9999"):
        list(read_parquet(path))


def test_flipped_bytes_in_a_page_are_refused_or_read_but_never_crash(tmp_path: Path) -> None:
    path = write(tmp_path / "c.parquet", {"text": [f"text {n}" for n in range(1000)], "source": ["a"] * 1000})
    content = path.read_bytes()
    for place in range(4, len(content), len(content) // 40):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        with contextlib.suppress(CorpusError):
            list(read_parquet(path))
