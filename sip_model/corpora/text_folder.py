"""Format `text_folder`: a zip with one folder per source and one text file per document."""

import errno
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from sip_model.corpora.compression import FREE_BYTES, MAX_RATIO
from sip_model.corpora.document import Document
from sip_model.corpora.fields import MAX_TEXT_BYTES, read_document
from sip_model.errors import CorpusError

_ENCRYPTED = 0x1
_LAYOUT = "a text file in a folder named for its source"


def read_text_folder(path: Path) -> Iterator[Document]:
    """Documents of a zip of text files; the entries are read, never extracted.

    The source is the first folder of an entry's path; one folder around everything is looked through.
    Hidden files and what macOS adds are skipped.

    Raises:
        CorpusError: ``loc`` is ``("file",)`` or ``("entry Doyle/hound.txt",)``.
    """
    if path.stat().st_size == 0:
        raise CorpusError(("file",), "one document or more", "0 bytes")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if _is_document(entry)]
            _check_ratio(entries, path.stat().st_size)
            depth = _num_outer_folders(entries)
            for entry in entries:
                yield _document(archive, entry, depth)
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        # A damaged directory points before the file's start; any other errno is the disk's fault.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        found = "one that is damaged, cut short or of another kind"
        raise CorpusError(("file",), "a zip file", found) from None


def _where(entry: zipfile.ZipInfo) -> str:
    return f"entry {entry.filename[:100]!a}"


def _is_document(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is to be read; raises for names and kinds that no honest archive has."""
    name = entry.filename
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ".." in parts or re.match("[A-Za-z]:", name):
        raise CorpusError((_where(entry),), "a path inside the archive", "one that leads out of it")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise CorpusError((_where(entry),), "a text file", "a symbolic link")
    if entry.flag_bits & _ENCRYPTED:
        raise CorpusError((_where(entry),), "an entry without a password", "an encrypted one")
    return not entry.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in parts)


def _check_ratio(entries: list[zipfile.ZipInfo], num_bytes: int) -> None:
    # Entries that share their bytes pass a check per entry, so the sum is held against the whole file.
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(FREE_BYTES, num_bytes * MAX_RATIO):
        raise CorpusError(("file",), "a zip file of texts", f"one that grows more than {MAX_RATIO} times")


def _num_outer_folders(entries: list[zipfile.ZipInfo]) -> int:
    paths = [PurePosixPath(entry.filename).parts for entry in entries]
    wrapped = len({parts[0] for parts in paths}) == 1 and all(len(parts) >= 3 for parts in paths)
    return 1 if wrapped else 0


def _document(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, depth: int) -> Document:
    where = _where(entry)
    parts = PurePosixPath(entry.filename).parts[depth:]
    if len(parts) < 2:
        raise CorpusError((where,), _LAYOUT, "a file outside any folder")
    if entry.file_size > MAX_TEXT_BYTES:
        raise CorpusError((where,), f"at most {MAX_TEXT_BYTES} bytes", f"{entry.file_size}")
    try:
        text = archive.read(entry).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"a byte that is not, at byte {error.start + 1}"
        raise CorpusError((where,), "UTF-8", found, "A binary file can't be read") from None
    except NotImplementedError:
        raise CorpusError((where,), "deflate compression", "another method") from None
    except (EOFError, zlib.error, lzma.LZMAError):
        raise CorpusError((where,), "a whole entry", "one that is damaged") from None
    return read_document({"text": text, "source": parts[0]}, where, default_id="/".join(parts))
