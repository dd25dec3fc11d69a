"""Format `jsonl`: one JSON object per line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from sip_model.corpora.compression import open_decompressed
from sip_model.corpora.document import JSON, Document
from sip_model.corpora.fields import read_document
from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits
from sip_model.corpora.lines import read_lines
from sip_model.errors import CorpusError


def read_jsonl(path: Path, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[Document]:
    """Documents of a JSON Lines file, plain or gzip, one line at a time; blank lines are skipped.

    Raises:
        CorpusError: ``loc`` is ``("file",)``, ``("line 17",)`` or ``("line 17", "source")``.
    """
    with open_decompressed(path, limits) as file:
        for number, fields in jsonl_rows(file):
            yield read_document(fields, f"line {number}", default_id=f"row-{number}")
            del fields  # as in jsonl_rows


def jsonl_rows(file: BinaryIO) -> Iterator[tuple[int, dict[str, JSON]]]:
    """Line number and fields of each row; blank lines are skipped.

    Raises:
        CorpusError: ``loc`` is ``("line 17",)``.
    """
    for number, line in read_lines(file):
        if line.isspace():
            continue
        fields = _object(line, f"line {number}")
        # A long document takes four bytes a character: neither its line nor the document itself may
        # stay while the next line is read.
        del line
        yield number, fields
        del fields


def _object(line: str, where: str) -> dict[str, JSON]:
    if "\0" in line:
        raise CorpusError(
            (where,), "text without NUL characters", "one", "Remove it, or save the file as UTF-8"
        )
    try:
        value = json.loads(line, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        found = f"a mistake at character {error.pos + 1} ({error.msg.removesuffix(' at')})"
        raise CorpusError((where,), "a JSON object", found) from None
    except (ValueError, RecursionError):
        found = "a number or a nesting beyond what JSON readers take"
        raise CorpusError((where,), "a JSON object", found) from None
    if not isinstance(value, dict):
        raise CorpusError(
            (where,), "a JSON object", "another JSON value", 'Write {"text": ..., "source": ...}'
        )
    return cast(dict[str, JSON], value)


def _refuse_constant(_name: str) -> NoReturn:
    # Python reads NaN and Infinity, which no other JSON reader takes.
    raise ValueError
