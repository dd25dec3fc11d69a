"""The rows of a hub repository's data files as documents."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sip_model.corpora.compression import open_decompressed
from sip_model.corpora.csv import csv_rows, read_header
from sip_model.corpora.document import JSON, Document
from sip_model.corpora.fields import read_document
from sip_model.corpora.jsonl import jsonl_rows
from sip_model.corpora.parquet import parquet_rows
from sip_model.errors import CorpusError

Fields = dict[str, JSON]

_KEPT = ("document", "author", "date")
"""Columns that are read besides text and source, where they are there."""


def hub_documents(
    path: Path, name: str, split: str, text_column: str, source_column: str
) -> Iterator[Document]:
    """A document per row of a data file; its other columns aren't read.

    Args:
        path: of the file.
        name: its path in the repository, for messages and ids.
        split: that its rows are in.
        text_column: of the text.
        source_column: of the source's name, of a number the file has a name for, or of a list of either.

    Raises:
        CorpusError: ``loc`` is ``("data/train.parquet row 17", "source")``.
    """
    labels = _label_names(path, name, source_column)
    for number, row in hub_rows(path, name, (text_column, source_column)):
        source = _named(row[source_column], labels)
        fields: Fields = {column: row.get(column) for column in _KEPT}
        fields |= {"text": row[text_column], "split": split}
        fields["sources" if isinstance(source, list) else "source"] = source
        yield read_document(fields, f"{name} row {number}", default_id=f"{name}:{number}")
        del row, fields  # or a long document would stay until the next has been read


def hub_rows(path: Path, name: str, needed: Sequence[str]) -> Iterator[tuple[int, Fields]]:
    """Number (from 1) and fields of every row; those of `needed` are there, if null.

    Raises:
        CorpusError: a column that isn't there, or a file that can't be read; ``loc`` begins with its name.
    """

    def choose(columns: list[str]) -> list[str]:
        for column in needed:
            if column not in columns:
                shown = ", ".join(name for name in columns[:20] if name.isprintable())
                hint = "Name them in text_column and source_column"
                raise CorpusError((), f"the columns {' and '.join(needed)}", f"other ones: {shown}", hint)
        return list(dict.fromkeys((*needed, *(column for column in _KEPT if column in columns))))

    try:
        yield from _reader(name)(path, choose)
    except CorpusError as error:
        loc = error.loc[1:] if error.loc[:1] == ("file",) else error.loc
        place = " ".join(str(part) for part in (name, *loc))
        raise CorpusError((place,), error.expected, error.found, error.hint) from None


def _label_names(path: Path, name: str, column: str) -> Sequence[str]:
    """Names of the numbers in a column, where a Parquet file tells them as the hub's libraries write it."""
    if not name.lower().endswith(".parquet"):
        return ()
    try:
        described = json.loads((pq.read_schema(path).metadata or {}).get(b"huggingface", b"{}"))
        names = described["info"]["features"][column]["names"]
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()  # what is wrong with the file is found when its rows are read
    return names if isinstance(names, list) and all(isinstance(label, str) for label in names) else ()


def _named(source: JSON, labels: Sequence[str]) -> JSON:
    """A label's name for its number; anything else as it is."""
    if isinstance(source, int) and not isinstance(source, bool) and 0 <= source < len(labels):
        return labels[source]
    return [_named(number, labels) for number in source] if isinstance(source, list) else source


_Choose = Callable[[list[str]], list[str]]


def _reader(name: str) -> Callable[[Path, _Choose], Iterator[tuple[int, Fields]]]:
    ending = name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending == "parquet":
        return parquet_rows
    return _csv if ending == "csv" else _jsonl


def _jsonl(path: Path, choose: _Choose) -> Iterator[tuple[int, Fields]]:
    with open_decompressed(path) as file:
        for number, row in jsonl_rows(file):
            yield number, {column: row[column] for column in choose(list(row))}
            del row


def _csv(path: Path, choose: _Choose) -> Iterator[tuple[int, Fields]]:
    with open_decompressed(path) as file:
        rows = csv_rows(file)
        where, first = next(rows, ("line 1", []))
        header = read_header(first, where)
        chosen = {column: header.index(column) for column in choose(header)}
        for number, (_, row) in enumerate(rows, start=1):
            yield number, {column: row[place] or None for column, place in chosen.items()}
