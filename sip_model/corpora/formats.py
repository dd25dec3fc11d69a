"""The corpus formats: name → reader. A new format is one file and one line here."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sip_model.corpora.csv import read_csv
from sip_model.corpora.document import Document
from sip_model.corpora.jsonl import read_jsonl
from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits, within
from sip_model.corpora.parquet import read_parquet
from sip_model.corpora.pg19 import read_pg19
from sip_model.corpora.text_folder import read_text_folder
from sip_model.corpora.wikitext import read_wikitext
from sip_model.corpora.xmc import read_xmc
from sip_model.errors import CorpusError

FORMATS: dict[str, Callable[[Path, CorpusLimits], Iterator[Document]]] = {
    "jsonl": read_jsonl,
    "csv": read_csv,
    "parquet": read_parquet,
    "text_folder": read_text_folder,
    "pg19": read_pg19,
    "wikitext": read_wikitext,
    "xmc": read_xmc,
}
FOLDER_FORMATS = ("text_folder", "pg19", "wikitext", "xmc")
"""Formats of many files: a zip of them, or a folder."""

_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson.gz": "jsonl",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
    ".parquet.gz": "parquet",
    ".tokens": "wikitext",
    ".tokens.gz": "wikitext",
    ".raw": "wikitext",
    ".raw.gz": "wikitext",
    ".txt": "wikitext",
    ".txt.gz": "wikitext",
}
_ZIPS = {"pg19": "pg19", "wikitext": "wikitext", "amazontitles": "xmc", "xmc": "xmc"}
"""What stands in the name of a zip that isn't a `text_folder`: those of the releases do."""


def detect_format(filename: str) -> str:
    """The format a file's name tells, without looking at the file.

    A zip is a `text_folder` unless its name says `pg19`, `wikitext`, `xmc` or `AmazonTitles`.

    Raises:
        CorpusError: ``loc`` is ``("format",)``.
    """
    lowered = filename.lower()
    if lowered.endswith(".zip"):
        return next((name for part, name in _ZIPS.items() if part in lowered), "text_folder")
    for suffix, name in _SUFFIXES.items():
        if lowered.endswith(suffix):
            return name
    expected = f"a file name that ends in {', '.join((*_SUFFIXES, '.zip'))}"
    hint = f"Rename the file, or name its format: {', '.join(FORMATS)}"
    raise CorpusError(("format",), expected, "another ending", hint)


def read_corpus(path: Path, format: str, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[Document]:
    """Documents of a file or folder, read as they are asked for; memory is bounded by the longest document.

    Args:
        path: the file, or a folder for one of `FOLDER_FORMATS`; gzip is known by its bytes,
            whatever the file is called.
        format: a key of `FORMATS`.
        limits: what it is held to.

    Raises:
        CorpusError: ``("format",)`` for an unknown format, or one that no folder is in, at once; while
            reading, the first line and field that can't be used, ``("line 17", "source")``.
    """
    reader = FORMATS.get(format)
    if reader is None:
        raise CorpusError(("format",), f"one of {', '.join(FORMATS)}", "another name")
    if path.is_dir() and format not in FOLDER_FORMATS:
        raise CorpusError(("format",), f"one of {', '.join(FOLDER_FORMATS)} for a folder", "another one")
    return within(reader(path, limits), limits)
