"""Where corpora, models and results are kept: a folder, or any object store fsspec knows."""

import errno
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.errors import StorageError, StorageUnavailableError
from db.settings import Settings

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

_BLOCK_BYTES = 1024 * 1024
# a server that is away is given up within a minute
_S3_CONFIG = {
    "connect_timeout": 5,
    "read_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}


class StoredFile(NamedTuple):
    """A file in the store."""

    key: str
    num_bytes: int
    sha256: str


class ListedFile(NamedTuple):
    """A file found in the store, whoever put it there."""

    key: str
    num_bytes: int


class ArtifactStore:
    """Files under keys such as ``models/mdl_…/model.safetensors``; written once, whole or not at all.

    It may be used from several threads; each process makes its own. Whatever goes wrong at an object store
    is a `StorageUnavailableError`, within a minute.

    Args:
        url: a folder, or an fsspec URL such as ``s3://bucket/prefix``. Address and credentials of an object
            store come from its library's own environment variables (``AWS_ENDPOINT_URL``, …).
        downloads: folder for local copies when the store isn't a folder of this machine.
    """

    def __init__(self, url: str, downloads: Path) -> None:
        self._filesystem, self._root = _connect(url)
        self._is_local = isinstance(self._filesystem, LocalFileSystem)
        self._downloads = downloads
        self._checked: dict[Path, _Checked] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> "ArtifactStore":
        """The store the settings name."""
        return cls(settings.artifacts_url, settings.downloads_dir)

    def put_file(self, key: str, path: Path) -> StoredFile:
        """Copy a file into the store; a reader sees the whole file or none.

        Raises `OSError` (for example when the disk is full) and `StorageUnavailableError`; nothing is left
        behind then.
        """
        target = self._target(key)
        if not self._is_local:
            num_bytes, digest = path.stat().st_size, file_sha256(path)
            try:
                with self._answering(key):
                    self._filesystem.put_file(str(path), target)
            except FileNotFoundError as error:
                raise StorageUnavailableError(f"{key}: the artifact store isn't there ({error})") from error
            return StoredFile(key, num_bytes, digest)
        final = Path(target)
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = final.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            num_bytes, digest = _copy(path, partial)
            partial.replace(final)
            _sync_folder(final.parent)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return StoredFile(key, num_bytes, digest)

    def put_folder(self, prefix: str, folder: Path) -> dict[str, StoredFile]:
        """Copy every file of a folder, or none; returns relative name → stored file."""
        stored: dict[str, StoredFile] = {}
        try:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                name = path.relative_to(folder).as_posix()
                stored[name] = self.put_file(f"{prefix}/{name}", path)
        except BaseException:
            self.delete_prefix(prefix)
            raise
        return stored

    def open(self, key: str, sha256: str) -> BinaryIO:
        """The file's bytes as a stream, verified before the first is read; raises as `local_path` does."""
        path = self.local_path(key, sha256)
        with _readable(key):
            return path.open("rb")

    def local_path(self, key: str, sha256: str | None = None, *, recheck: bool = True) -> Path:
        """A path of this machine to read the file from: itself, or a copy that is fetched once.

        Args:
            sha256: what the content must hash to.
            recheck: whether to read it all again when this store found it right before and its size, inode
                and time of change are what they were.

        Raises:
            StorageError: the file is missing, damaged or not readable.
            OSError: no disk space for the copy.
        """
        path = Path(self._target(key)) if self._is_local else self._downloads / key
        with _readable(key):
            if not self._is_local:
                # without a hash there is no telling whether an older copy is still right
                if sha256 is not None and path.is_file() and self._found(path, sha256, recheck) == sha256:
                    _note_use(path)
                    return path
                self._fetch(key, path)
            if not path.is_file():
                raise StorageError(f"{key}: expected a stored file, found none")
            if sha256 is not None and (found := self._found(path, sha256, recheck)) != sha256:
                if not self._is_local:
                    path.unlink(missing_ok=True)
                raise StorageError(
                    f"{key}: expected sha256 {sha256}, found {found}; the stored file is damaged"
                )
        return path

    def local_folder(self, prefix: str, files: Mapping[str, str]) -> Path:
        """A folder of this machine that holds these files; each is verified.

        Args:
            prefix: where they are stored.
            files: relative name → sha256. `StorageError` when one is missing or damaged.
        """
        if not files:
            raise StorageError(f"{prefix}: expected at least one file, found none")
        for name, sha256 in files.items():
            self.local_path(f"{prefix}/{name}", sha256)
        return Path(self._target(prefix)) if self._is_local else self._downloads / prefix

    def delete_prefix(self, prefix: str) -> None:
        """Remove the file of this key, or every file below it, here and among the local copies.

        Removing what isn't there is no error.
        """
        target = self._target(prefix)
        with suppress(FileNotFoundError), self._answering(prefix):
            self._filesystem.rm(target, recursive=True)
        if not self._is_local:
            copies = self._downloads / prefix
            shutil.rmtree(copies) if copies.is_dir() else copies.unlink(missing_ok=True)

    def files(self) -> list[ListedFile]:
        """Every file of the store, also those nobody knows of."""
        try:
            with self._answering("files"):
                found = self._filesystem.find(self._root, detail=True)
        except FileNotFoundError as error:
            raise StorageUnavailableError(f"the artifact store isn't there ({error})") from error
        start = len(self._root.rstrip("/")) + 1
        return [ListedFile(name[start:], int(info["size"])) for name, info in sorted(found.items())]

    def check(self) -> None:
        """See whether the store answers and, if it is a folder, can be written; `StorageUnavailableError`."""
        if self._is_local:
            root = Path(self._root)
            folder = next(path for path in (root, *root.parents) if path.exists())
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise StorageUnavailableError(f"{folder}: expected a folder that can be written")
            return
        container = self._root.strip("/").partition("/")[0]
        with self._answering("check"):
            try:
                self._filesystem.ls(self._root, detail=False)
            except FileNotFoundError:
                # a prefix without files isn't there, but its bucket has to be
                if not self._filesystem.exists(container):
                    raise StorageUnavailableError("the artifact store isn't there") from None

    def modified_at(self, key: str) -> datetime:
        """When the file was stored, by the store's clock; `StorageError` when it is missing."""
        try:
            with self._answering(key):
                modified: datetime = self._filesystem.modified(self._target(key))
        except FileNotFoundError as error:
            raise StorageError(f"{key}: expected a stored file, found none") from error
        return modified

    def num_bytes(self, key: str) -> int:
        """Size of a stored file; `StorageError` when it is missing."""
        try:
            with self._answering(key):
                found = self._filesystem.info(self._target(key))
        except FileNotFoundError as error:
            raise StorageError(f"{key}: expected a stored file, found none") from error
        return int(found["size"])

    def delete_file(self, key: str) -> None:
        """Remove the file of this very key; it is no error if it isn't there."""
        with suppress(FileNotFoundError), self._answering(key):
            self._filesystem.rm_file(self._target(key))

    def _target(self, key: str) -> str:
        parts = PurePosixPath(key).parts
        if not parts or "\0" in key or key.startswith("/") or ".." in parts:
            raise StorageError("key: expected a relative path without '..'; found something else")
        return f"{self._root.rstrip('/')}/{PurePosixPath(key)}"

    def _fetch(self, key: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            with self._answering(key):
                self._filesystem.get_file(self._target(key), str(partial))
            partial.replace(path)
        except FileNotFoundError as error:
            raise StorageError(f"{key}: expected a stored file, found none ({error})") from error
        finally:
            partial.unlink(missing_ok=True)

    def _found(self, path: Path, sha256: str, recheck: bool) -> str:
        """The hash of a file's bytes; known without reading them where `recheck` doesn't ask for it."""
        found = path.stat()
        checked = _Checked(sha256, found.st_size, found.st_ino, found.st_mtime_ns)
        if not recheck and self._checked.get(path) == checked:
            return sha256
        digest = file_sha256(path)
        if digest == sha256:
            self._checked[path] = checked
        else:
            self._checked.pop(path, None)
        return digest

    @contextmanager
    def _answering(self, key: str) -> Iterator[None]:
        """Turn whatever an object store's library raises into a `StorageUnavailableError`.

        A file that isn't there, and a disk of ours that is full, are left as they are.
        """
        try:
            yield
        except Exception as error:
            is_ours = isinstance(error, FileNotFoundError) or getattr(error, "errno", None) in DISK_FULL
            if self._is_local or is_ours:
                raise
            raise StorageUnavailableError(
                f"{key}: the artifact store doesn't take or give it ({type(error).__name__}: {error})"
            ) from error


class _Checked(NamedTuple):
    sha256: str
    num_bytes: int
    inode: int
    modified_ns: int


def _connect(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    is_s3 = url.startswith(("s3://", "s3a://"))
    # other processes store and delete too: a remembered listing would lie; each store has its own connection
    options: dict[str, object] = {"use_listings_cache": False, "skip_instance_cache": True}
    if is_s3:
        options["config_kwargs"] = _S3_CONFIG
    try:
        filesystem, root = fsspec.core.url_to_fs(url, **options)
    except (ImportError, ValueError) as error:
        raise StorageUnavailableError(f"SIP_ARTIFACTS_URL: {error}") from error
    if is_s3:
        filesystem.retries = 1  # those of its library would multiply with the ones above
    return filesystem, root


@contextmanager
def _readable(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise StorageError(f"{key}: the stored file can't be read: {error.strerror or error}") from error


def _note_use(path: Path) -> None:
    # when it was last wanted, also where the file system doesn't keep that by itself
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def folder_of(key: str) -> str:
    """The prefix under which a key's file, and what is half-written of it, lies."""
    return key.rpartition("/")[0]


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    # without this a power failure may take back the new name of a file whose row is committed
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: Path, target: Path) -> tuple[int, str]:
    digest, num_bytes = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while block := reader.read(_BLOCK_BYTES):
            digest.update(block)
            num_bytes += writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    if num_bytes != source.stat().st_size:
        raise OSError(errno.EIO, "the file changed while it was copied", str(source))
    return num_bytes, digest.hexdigest()
