"""The corpus formats: name → reader. A new format is one file and one line here."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sip_model.corpora.csv import read_csv
from sip_model.corpora.document import Document
from sip_model.corpora.jsonl import read_jsonl
from sip_model.corpora.parquet import read_parquet
from sip_model.corpora.text_folder import read_text_folder
from sip_model.errors import CorpusError

FORMATS: dict[str, Callable[[Path], Iterator[Document]]] = {
    "jsonl": read_jsonl,
    "csv": read_csv,
    "parquet": read_parquet,
    "text_folder": read_text_folder,
}

_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson.gz": "jsonl",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
    ".parquet.gz": "parquet",
    ".zip": "text_folder",
}


def detect_format(filename: str) -> str:
    """The format a file's name tells, without looking at the file.

    Raises:
        CorpusError: ``loc`` is ``("format",)``.
    """
    for suffix, name in _SUFFIXES.items():
        if filename.lower().endswith(suffix):
            return name
    expected = f"a file name that ends in {', '.join(_SUFFIXES)}"
    hint = f"Rename the file, or name its format: {', '.join(FORMATS)}"
    raise CorpusError(("format",), expected, "another ending", hint)


def read_corpus(path: Path, format: str) -> Iterator[Document]:
    """Documents of a file, read as they are asked for; memory is bounded by the longest document.

    Args:
        path: the file; gzip is known by its bytes, whatever the file is called.
        format: a key of `FORMATS`.

    Raises:
        CorpusError: ``("format",)`` for an unknown format at once; while reading, the first line and field
            that can't be used, ``("line 17", "source")``.
    """
    reader = FORMATS.get(format)
    if reader is None:
        raise CorpusError(("format",), f"one of {', '.join(FORMATS)}", "another name")
    return reader(path)
