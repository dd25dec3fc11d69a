"""The normalised corpus: one Parquet file that every job reads, whatever format was sent."""

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from sip_model.corpora.document import Document
from sip_model.corpora.summary import CorpusSummary, CorpusTally
from sip_model.errors import ArtifactError, CorpusError

_SCHEMA = pa.schema(
    [
        pa.field("document", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("sources", pa.list_(pa.string()), nullable=False),
        pa.field("author", pa.string()),
        pa.field("date", pa.string()),
        pa.field("split", pa.string()),
        pa.field("metadata", pa.string(), nullable=False),
    ]
)
_ROW_GROUP_BYTES = 4 * 2**20
_ROW_GROUP_ROWS = 16_384


def write_corpus(documents: Iterable[Document], path: Path) -> CorpusSummary:
    """Write documents to the Parquet file `path`, which appears only when all of them are in it.

    Memory is bounded by the longest document and 8 bytes per document.

    Raises:
        CorpusError: no document, fewer than two sources, an id used twice, or whatever `documents` raises.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        summary = _write(documents, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return summary


def _write(documents: Iterable[Document], path: Path) -> CorpusSummary:
    tally = CorpusTally()
    ids = array("Q")
    with pq.ParquetWriter(
        path, _SCHEMA, compression="zstd", compression_level=3, use_dictionary=False
    ) as writer:
        rows: list[dict[str, object]] = []
        num_bytes = 0
        for document in documents:
            metadata = _metadata_json(document, tally.num_documents + 1)
            tally.add(document, metadata)
            ids.append(_id_hash(document.document))
            rows.append(_row(document, metadata))
            num_bytes += len(document.text) + len(metadata)
            if num_bytes >= _ROW_GROUP_BYTES or len(rows) == _ROW_GROUP_ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA))
                rows, num_bytes = [], 0
            del document  # or a long one would stay until the next has been read
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA))
    if tally.num_documents == 0:
        raise CorpusError(("file",), "one document or more", "none")
    if tally.num_sources < 2:
        hint = "A source can only be told from another one"
        raise CorpusError(("sources",), "two sources or more in the corpus", "one", hint)
    _check_ids(np.frombuffer(ids, np.uint64), path)
    return tally.summary()


def _metadata_json(document: Document, number: int) -> str:
    if not document.metadata:
        return "{}"
    try:
        text = json.dumps(dict(document.metadata), sort_keys=True, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        loc = (f"document {number}", "metadata")
        raise CorpusError(loc, "finite numbers, text, lists and objects", "something else") from None
    return text


def _row(document: Document, metadata: str) -> dict[str, object]:
    return {
        "document": document.document,
        "text": document.text,
        "sources": list(document.sources),
        "author": document.author,
        "date": document.date,
        "split": document.split,
        "metadata": metadata,
    }


def _id_hash(document: str) -> int:
    return int.from_bytes(hashlib.blake2b(document.encode(), digest_size=8).digest())


def _check_ids(hashes: npt.NDArray[np.uint64], path: Path) -> None:
    """Raise for the first id that two documents share; ids are compared only where their hashes meet."""
    values, counts = np.unique(hashes, return_counts=True)
    shared = set(values[counts > 1].tolist())
    if not shared:
        return
    first: dict[str, int] = {}
    number = 0
    for batch in pq.ParquetFile(path).iter_batches(columns=["document"]):
        for document in batch.column(0).to_pylist():
            number += 1
            if _id_hash(document) not in shared:
                continue
            if document in first:
                hint = "Give each document its own id, or leave the field out"
                found = f"the id of document {first[document]} again"
                raise CorpusError((f"document {number}", "document"), "an id used once", found, hint)
            first[document] = number


class Corpus:
    """A normalised corpus on disk.

    Args:
        path: what `write_corpus` wrote.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def num_documents(self) -> int:
        """How many there are; `ArtifactError` when the file is missing or damaged."""
        with _opened(self.path) as table:
            return int(table.metadata.num_rows)

    def documents(self) -> Iterator[Document]:
        """All documents in the order of the corpus; memory is bounded by one row group.

        Raises:
            ArtifactError: the file is missing or damaged.
        """
        with _opened(self.path) as table:
            for group in range(table.num_row_groups):
                yield from _documents(table, group)

    def documents_at(self, numbers: npt.NDArray[np.int64]) -> Iterator[tuple[int, Document]]:
        """The documents at `numbers` (counted from 0, ascending, distinct), each with its number; row groups
        without any of them are not read.

        Raises:
            ArtifactError: the file is missing or damaged.
        """
        with _opened(self.path) as table:
            first = 0
            for group in range(table.num_row_groups):
                end = first + table.metadata.row_group(group).num_rows
                wanted = numbers[np.searchsorted(numbers, first) : np.searchsorted(numbers, end)]
                if wanted.size:
                    documents = list(_documents(table, group))
                    yield from ((number, documents[number - first]) for number in wanted.tolist())
                first = end


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    found = "a file that is missing, damaged or of another kind"
    refusal = ArtifactError(("corpus",), "a normalised corpus", found, "Add the dataset again")
    try:
        with pq.ParquetFile(path) as table:
            if not table.schema_arrow.equals(_SCHEMA):
                raise refusal
            yield table
    except (pa.ArrowInvalid, OSError):
        raise refusal from None


def _documents(table: pq.ParquetFile, group: int) -> Iterator[Document]:
    for row in table.read_row_group(group, use_threads=False).to_pylist():
        metadata = row["metadata"]
        yield Document(
            document=row["document"],
            text=row["text"],
            sources=tuple(row["sources"]),
            author=row["author"],
            date=row["date"],
            split=row["split"],
            metadata=json.loads(metadata),
        )
