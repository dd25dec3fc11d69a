"""A corpus of many files: a zip, read without extracting it, or a folder of this machine."""

import errno
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast

from sip_model.corpora.compression import FREE_BYTES, decompressed
from sip_model.corpora.fields import MAX_TEXT_BYTES
from sip_model.corpora.limits import DEFAULT_LIMITS, CorpusLimits
from sip_model.errors import CorpusError

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of others nothing bounds what a few bytes become: the library unpacks them without a limit."""
_ENTRY = b"PK\x01\x02"
"""Begins each entry of a zip's directory."""
_SEARCHED_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree."""

    name: str
    """Path inside the tree, its parts separated by slashes."""
    num_bytes: int
    """As its directory says."""

    @property
    def where(self) -> str:
        """What it is called in messages."""
        return f"entry {self.name[:100]!a}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders it is in, and its own name."""
        return PurePosixPath(self.name).parts


class Tree(Protocol):
    """The files of a corpus, those that are hidden (and what macOS adds) left out."""

    entries: list[Entry]
    """A zip's in its own order, a folder's by name."""
    limits: CorpusLimits
    """What is held to while its files are read."""

    def open(self, entry: Entry) -> io.BufferedReader:
        """The bytes of a file; read them within `inside`, which says what is wrong with them."""
        ...


@contextmanager
def opened_tree(path: Path, limits: CorpusLimits = DEFAULT_LIMITS) -> Iterator[Tree]:
    """The tree at `path`, a zip file or a folder.

    Raises:
        CorpusError: no zip, a damaged one or a bomb; an entry whose path leads out of it, that is a symbolic
            link or encrypted. ``loc`` is ``("file",)`` or ``("entry 'Doyle/hound.txt'",)``.
    """
    if path.is_dir():
        yield _FolderTree(path, limits)
        return
    if path.stat().st_size == 0:
        raise CorpusError(("file",), "one document or more", "0 bytes")
    try:
        check_num_entries(path, limits.max_entries)
        with zipfile.ZipFile(path) as archive:
            yield _ZipTree(archive, path.stat().st_size, limits)
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        # A damaged directory points before the file's start; any other errno is the disk's fault.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        found = "one that is damaged, cut short or of another kind"
        raise CorpusError(("file",), "a zip file", found) from None
    except UnicodeDecodeError:
        raise CorpusError(("file",), "a zip file whose names are UTF-8, as it says", "others") from None


def check_num_entries(path: Path, max_entries: int) -> None:
    """Refuse a zip with too many entries before its directory is read, which takes a kilobyte for each.

    Counted is what the file holds, not what it says of itself.

    Raises:
        CorpusError: ``loc`` is ``("file",)``.
    """
    num_found, kept = 0, b""
    with path.open("rb") as file:
        while block := file.read(_SEARCHED_BYTES):
            num_found += (kept + block).count(_ENTRY)
            kept = block[-len(_ENTRY) + 1 :]
            if num_found > max_entries:
                raise CorpusError(("file",), f"a zip of at most {max_entries} files", "more")


@contextmanager
def inside(entry: Entry) -> Iterator[None]:
    """Name the entry in front of whatever a reader of its bytes complains about."""
    try:
        yield
    except CorpusError as error:
        loc = error.loc[1:] if error.loc[:1] == ("file",) else error.loc
        raise CorpusError((entry.where, *loc), error.expected, error.found, error.hint) from None
    except UnicodeDecodeError as error:
        found = f"a byte that is not, at byte {error.start + 1}"
        raise CorpusError((entry.where,), "UTF-8", found, "A binary file can't be read") from None
    except NotImplementedError:
        raise CorpusError((entry.where,), "deflate compression", "another method") from None
    except (EOFError, zlib.error):
        raise CorpusError((entry.where,), "a whole entry", "one that is damaged") from None


@contextmanager
def opened_entry(tree: Tree, entry: Entry) -> Iterator[BinaryIO]:
    """The bytes of an entry, decompressed where they are gzip; complaints name the entry."""
    with (
        inside(entry),
        tree.open(entry) as file,
        decompressed(file, entry.num_bytes, tree.limits) as plain,
    ):
        yield plain


def read_text(tree: Tree, entry: Entry) -> str:
    """A whole text file; a byte order mark is skipped.

    Raises:
        CorpusError: not UTF-8, damaged, or longer than a document may be.
    """
    if entry.num_bytes > MAX_TEXT_BYTES:
        raise CorpusError((entry.where,), f"at most {MAX_TEXT_BYTES} bytes", f"{entry.num_bytes}")
    with inside(entry), tree.open(entry) as file:
        # Asked for no number of bytes, a zip's entry makes room for all that its directory claims.
        return file.read(entry.num_bytes + 1).decode("utf-8-sig")


def num_outer_folders(entries: list[Entry], depth: int) -> int:
    """1 where one folder is around everything, else 0.

    Args:
        depth: the parts a path has without it.
    """
    paths = [entry.parts for entry in entries]
    wrapped = len({parts[0] for parts in paths}) == 1 and all(len(parts) > depth for parts in paths)
    return 1 if wrapped else 0


class _ZipTree:
    def __init__(self, archive: zipfile.ZipFile, num_bytes: int, limits: CorpusLimits) -> None:
        self._archive = archive
        self.limits = limits
        infos = [info for info in archive.infolist() if _is_file(info)]
        self._infos = {info.filename: info for info in infos}
        self.entries = [Entry(info.filename, info.file_size) for info in infos]
        if len(self._infos) < len(infos):
            raise CorpusError(("file",), "a zip file that names each entry once", "a name twice")
        # Entries that share their bytes pass a check per entry, so the sum is held against the whole file.
        if sum(entry.num_bytes for entry in self.entries) > max(FREE_BYTES, num_bytes * limits.max_expansion):
            found = f"one that grows more than {limits.max_expansion} times"
            raise CorpusError(("file",), "a zip file of texts", found)

    def open(self, entry: Entry) -> io.BufferedReader:
        # ZipExtFile has all that is needed of a buffered reader, without being one
        return cast(io.BufferedReader, self._archive.open(self._infos[entry.name]))


class _FolderTree:
    def __init__(self, folder: Path, limits: CorpusLimits) -> None:
        self._folder = folder
        self.limits = limits
        self.entries = sorted(self._files(), key=lambda entry: entry.name)

    def _files(self) -> Iterator[Entry]:
        for parent, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if not _is_hidden(name)]
            for name in (*folders, *names):
                path = Path(parent) / name
                found = path.lstat()
                entry = Entry(path.relative_to(self._folder).as_posix(), found.st_size)
                if stat.S_ISREG(found.st_mode) and not _is_hidden(name):
                    yield entry
                elif not stat.S_ISDIR(found.st_mode) and not _is_hidden(name):
                    kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "a special file"
                    raise CorpusError((entry.where,), "a plain file", kind)

    def open(self, entry: Entry) -> io.BufferedReader:
        # it may have become a link since
        descriptor = os.open(self._folder / entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        return os.fdopen(descriptor, "rb")


def _is_hidden(part: str) -> bool:
    return part.startswith((".", "__MACOSX"))


def _is_file(info: zipfile.ZipInfo) -> bool:
    """Whether an entry is to be read; raises for names and kinds that no honest archive has."""
    where, name = Entry(info.filename, info.file_size).where, info.filename
    parts = name.split("/")
    if not name:
        raise CorpusError(("file",), "a zip file that names each entry", "one without a name")
    if name.startswith("/") or "\\" in name or ".." in parts or re.match("[A-Za-z]:", name):
        raise CorpusError((where,), "a path inside the archive", "one that leads out of it")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise CorpusError((where,), "a text file", "a symbolic link")
    if info.flag_bits & _ENCRYPTED:
        raise CorpusError((where,), "an entry without a password", "an encrypted one")
    if info.compress_type not in _METHODS:
        raise CorpusError((where,), "deflate compression", "another method")
    return not info.is_dir() and not any(map(_is_hidden, parts))
