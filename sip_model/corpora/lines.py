"""The lines of a text file, with bounded memory and a number for every complaint."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from sip_model.corpora.fields import MAX_TEXT_BYTES
from sip_model.errors import CorpusError


def read_lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Line number (from 1) and text with its line end, of a UTF-8 file; a byte order mark is skipped.

    Raises:
        CorpusError: ``loc`` is ``("line 17",)``: longer than `MAX_TEXT_BYTES`, or not UTF-8.
    """
    number = 0
    while line := file.readline(MAX_TEXT_BYTES + 1):
        number += 1
        if len(line) > MAX_TEXT_BYTES:
            raise CorpusError((f"line {number}",), f"at most {MAX_TEXT_BYTES} bytes", "a longer line")
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            found = f"the byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line"
            hint = "Save the file as UTF-8; a binary file can't be read"
            raise CorpusError((f"line {number}",), "UTF-8", found, hint) from None
