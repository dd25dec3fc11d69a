"""Format `csv`: comma-separated values under a header."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from sip_model.corpora.compression import open_decompressed
from sip_model.corpora.document import JSON, Document
from sip_model.corpora.fields import MAX_TEXT_BYTES, read_document
from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits
from sip_model.corpora.lines import read_lines
from sip_model.errors import CorpusError

SOURCE_SEPARATOR = "|"
"""Between the names in a `sources` or `labels` cell."""


def read_csv(path: Path, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[Document]:
    """Documents of a CSV file, plain or gzip, one row at a time; an empty cell means absent.

    Raises:
        CorpusError: ``loc`` is ``("file",)``, ``("line 17",)`` or ``("line 17", "source")``; the line is the
            one on which the row ends.
    """
    with open_decompressed(path, limits) as file:
        rows = csv_rows(file)
        where, first = next(rows, ("line 1", []))
        header = read_header(first, where)
        _check_columns(header, where)
        for where, row in rows:
            fields = {name: _value(name, cell) for name, cell in zip(header, row, strict=True)}
            yield read_document(fields, where, default_id=f"row-{where.removeprefix('line ')}")


def csv_rows(file: BinaryIO) -> Iterator[tuple[str, Sequence[str]]]:
    """What each row is called (``line 17``) and its cells, the header's too.

    Args:
        file: UTF-8. Blank lines are skipped.

    Raises:
        CorpusError: ``loc`` is ``("line 17",)``: no CSV, or a row of another number of cells than the first.
    """
    # The csv module's limit of 131,072 characters a field is shorter than a book.
    csv.field_size_limit(MAX_TEXT_BYTES)
    rows = csv.reader((line for _, line in read_lines(file)), strict=True)
    num_cells: int | None = None
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise CorpusError((f"line {rows.line_num}",), "a CSV row", str(error)) from None
        where = f"line {rows.line_num}"
        if not row:
            continue
        num_cells = num_cells or len(row)
        if len(row) != num_cells:
            hint = "Put cells that hold commas or line ends in double quotes"
            raise CorpusError((where,), f"{num_cells} cells, as in the first row", f"{len(row)}", hint)
        yield where, row


def read_header(row: Sequence[str], where: str) -> list[str]:
    """The columns' names that a row gives, without the space around them.

    Raises:
        CorpusError: a name twice.
    """
    header = [name.strip() for name in row]
    if len(set(header)) != len(header):
        raise CorpusError((where,), "a header that names each column once", "a name twice")
    return header


def _check_columns(header: Sequence[str], where: str) -> None:
    if "text" not in header or not {"source", "sources", "labels"} & set(header):
        expected = "a header with the columns `text` and `source` (or `sources`)"
        raise CorpusError((where,), expected, f"{len(header)} columns without them")


def _value(name: str, cell: str) -> JSON:
    if not cell:
        return None
    if name in ("sources", "labels"):
        return [source for source in cell.split(SOURCE_SEPARATOR) if source.strip()]
    return cell
