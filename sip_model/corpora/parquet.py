"""Format `parquet`: one row per document."""

import datetime
import decimal
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from sip_model.corpora.compression import FREE_BYTES, open_decompressed
from sip_model.corpora.document import JSON, Document
from sip_model.corpora.fields import read_document
from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits
from sip_model.errors import CorpusError

_ROWS_AT_ONCE = 64
_DAMAGED = (
    pa.ArrowInvalid,
    pa.ArrowNotImplementedError,
    pa.ArrowIndexError,
    pa.ArrowKeyError,
    pa.ArrowTypeError,
    pa.ArrowCapacityError,
    pa.ArrowSerializationError,
    UnicodeDecodeError,
)
"""What the library has to say of bytes that are no table."""


def read_parquet(path: Path, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[Document]:
    """Documents of a Parquet file, plain or gzip, a few rows at a time.

    Columns as the fields of `jsonl`; `sources` and `labels` are lists of strings.

    Raises:
        CorpusError: ``loc`` is ``("file",)`` or ``("row 17", "source")``.
    """
    for number, fields in parquet_rows(path, _check_columns, limits):
        yield read_document(fields, f"row {number}", default_id=f"row-{number}")
        del fields  # or a long document would stay until the next has been read


def parquet_rows(
    path: Path, choose: Callable[[list[str]], Sequence[str] | None], limits: CorpusLimits = DEFAULT_LIMITS
) -> Iterator[tuple[int, dict[str, JSON]]]:
    """Number (from 1) and fields of each row of a Parquet file, plain or gzip.

    Args:
        path: the file.
        choose: from the names of its columns to those to read, None for all; it may raise.
        limits: what its pages are held to when they are decompressed.

    Raises:
        CorpusError: ``loc`` is ``("file",)`` or ``("row 17", "image")``.
    """
    with _seekable(path, limits) as file:
        try:
            table = _opened(file, limits)
            columns = choose(table.schema_arrow.names)
            number = 0
            for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns, use_threads=False):
                for place in range(batch.num_rows):
                    number += 1
                    # one at a time: rows that share a long text in the file would each have it in memory
                    row = _row(batch.slice(place, 1), f"row {number}")
                    yield number, {name: _json(value, f"row {number}", name) for name, value in row.items()}
        except (*_DAMAGED, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's fault, not the file's
            raise CorpusError(("file",), "a Parquet file", "one that is damaged or of another kind") from None


def _row(batch: pa.RecordBatch, where: str) -> dict[str, Any]:
    """The only row of a batch, as Python's values."""
    try:
        (row,) = batch.to_pylist()
    except _DAMAGED:
        raise
    except (OverflowError, ValueError):
        expected = "times from year 1 to 9999, in microseconds"
        raise CorpusError((where,), expected, "others", "Leave the column out, or make text of it") from None
    return cast(dict[str, Any], row)


def _opened(file: BinaryIO, limits: CorpusLimits) -> pq.ParquetFile:
    """The table in a file that doesn't grow beyond measure, texts kept as often as the file has them.

    Raises:
        CorpusError: it says of itself that it is a bomb.
    """
    num_bytes = file.seek(0, io.SEEK_END)
    metadata = pq.read_metadata(file)
    grown = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if grown > max(FREE_BYTES, num_bytes * limits.max_expansion):
        found = f"one that grows more than {limits.max_expansion} times"
        raise CorpusError(("file",), "a Parquet file of texts", found)
    texts = [field.name for field in metadata.schema.to_arrow_schema() if _is_text(field.type)]
    # A buffer makes Arrow read pages as they are needed instead of whole column chunks.
    return pq.ParquetFile(file, metadata=metadata, read_dictionary=texts, buffer_size=2**20)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _check_columns(names: list[str]) -> None:
    """Read all of them, if the needed ones are there."""
    if "text" not in names or not {"source", "sources", "labels"} & set(names):
        expected = "the columns `text` and `source` (or `sources`)"
        raise CorpusError(("file",), expected, f"{len(names)} columns without them")


@contextmanager
def _seekable(path: Path, limits: CorpusLimits) -> Iterator[BinaryIO]:
    """Parquet is read from its end: what is compressed as a whole is unpacked to a file first."""
    with open_decompressed(path, limits) as file:
        if file.seekable():
            yield file
            return
        with tempfile.TemporaryFile() as unpacked:
            shutil.copyfileobj(file, unpacked, length=2**20)
            unpacked.seek(0)
            yield cast(BinaryIO, unpacked)


def _json(value: Any, where: str, column: str) -> JSON:
    """Arrow's Python values as JSON; dates and decimals become text."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_json(item, where, column) for item in value]
        case dict():
            return {str(key): _json(item, where, column) for key, item in value.items()}
        case datetime.date() | datetime.time():
            return value.isoformat()
        case decimal.Decimal():
            return str(value)
    expected = "text, numbers, dates, lists or structs of them"
    raise CorpusError((where, column), expected, type(value).__name__, "Leave the column out")
