"""Opening a corpus file that may be compressed, with bounds on what may come out of it."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits
from sip_model.errors import CorpusError

FREE_BYTES = 64 * 2**20
"""The ratio is not looked at before this much has come out: short files of one repeated row are no bombs."""
_GZIP_MAGIC = b"\x1f\x8b"


class BoundedGzip(io.RawIOBase):
    """The decompressed bytes of a gzip file, refusing one that is damaged, cut short or a bomb.

    Args:
        file: the compressed bytes, from their start.
        num_bytes: how many there are.
        max_expansion: bytes that may come out of each.

    Raises:
        CorpusError: from any read; ``loc`` is ``("file",)``.
    """

    def __init__(self, file: BinaryIO, num_bytes: int, max_expansion: int) -> None:
        self._max_expansion = max_expansion
        self._limit = max(FREE_BYTES, num_bytes * max_expansion)
        self._num_bytes = 0
        self._file = cast(IO[bytes], gzip.open(file, "rb"))  # noqa: SIM115 - closed by close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(cast(bytearray, buffer)).cast("B")
        try:
            data = self._file.read(len(target))
        except EOFError:
            hint = "Send the whole file"
            raise CorpusError(("file",), "a whole gzip file", "one that is cut short", hint) from None
        except (gzip.BadGzipFile, zlib.error):
            raise CorpusError(("file",), "a gzip file", "one that is damaged") from None
        self._num_bytes += len(data)
        if self._num_bytes > self._limit:
            found = f"one that grows more than {self._max_expansion} times"
            raise CorpusError(("file",), "a gzip file of text", found, "Send it uncompressed")
        target[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


@contextmanager
def open_decompressed(path: Path, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[BinaryIO]:
    """The bytes of `path`, decompressed where they are gzip (known by the bytes, not by the name).

    Raises:
        CorpusError: the file is empty, or (while reading) its compression is damaged or a bomb.
    """
    num_bytes = path.stat().st_size
    if num_bytes == 0:
        raise CorpusError(("file",), "one document or more", "0 bytes")
    with path.open("rb") as file, decompressed(file, num_bytes, limits) as plain:
        yield plain


@contextmanager
def decompressed(
    file: io.BufferedReader, num_bytes: int, limits: CorpusLimits = DEFAULT_LIMITS
) -> Iterator[BinaryIO]:
    """The bytes of an open file of `num_bytes`, decompressed where they are gzip.

    Raises:
        CorpusError: while reading, its compression is damaged or a bomb.
    """
    if not file.peek(2).startswith(_GZIP_MAGIC):
        yield cast(BinaryIO, file)
        return
    raw = BoundedGzip(cast(BinaryIO, file), num_bytes, limits.max_expansion)
    with io.BufferedReader(raw, buffer_size=2**20) as unpacked:
        yield cast(BinaryIO, unpacked)
