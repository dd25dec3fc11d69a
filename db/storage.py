"""Where corpora, models and results are kept: a folder, or any object store fsspec knows."""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.errors import StorageError
from db.settings import Settings

_BLOCK_BYTES = 1024 * 1024


class StoredFile(NamedTuple):
    """A file in the store."""

    key: str
    num_bytes: int
    sha256: str


class ArtifactStore:
    """Files under keys such as ``models/mdl_…/model.safetensors``; written once, whole or not at all.

    Args:
        url: a folder, or an fsspec URL such as ``s3://bucket/prefix``.
        downloads: folder for local copies when the store isn't a folder of this machine.
    """

    def __init__(self, url: str, downloads: Path) -> None:
        self._filesystem, self._root = fsspec.core.url_to_fs(url)
        self._is_local = isinstance(self._filesystem, LocalFileSystem)
        self._downloads = downloads

    @classmethod
    def from_settings(cls, settings: Settings) -> "ArtifactStore":
        """The store the settings name."""
        return cls(settings.artifacts_url, settings.downloads_dir)

    def put_file(self, key: str, path: Path) -> StoredFile:
        """Copy a file into the store; a reader sees the whole file or none.

        Raises `OSError` (for example when the disk is full); nothing is left behind then.
        """
        target = self._target(key)
        if not self._is_local:
            self._filesystem.put_file(str(path), target)
            return StoredFile(key, path.stat().st_size, file_sha256(path))
        final = Path(target)
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = final.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            num_bytes, digest = _copy(path, partial)
            partial.replace(final)
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

    def open(self, key: str) -> BinaryIO:
        """The file's bytes as a stream; `StorageError` when it is missing."""
        try:
            return cast("BinaryIO", self._filesystem.open(self._target(key), "rb"))
        except FileNotFoundError as error:
            raise StorageError(f"{key}: expected a stored file, found none") from error

    def local_path(self, key: str, sha256: str | None = None) -> Path:
        """A path of this machine to read the file from: itself, or a copy that is fetched once.

        Args:
            sha256: what the content must hash to.

        Raises `StorageError` when the file is missing or damaged.
        """
        path = Path(self._target(key)) if self._is_local else self._fetched(key, sha256)
        if not path.is_file():
            raise StorageError(f"{key}: expected a stored file, found none")
        if sha256 is not None and (found := file_sha256(path)) != sha256:
            if not self._is_local:
                path.unlink(missing_ok=True)
            raise StorageError(f"{key}: expected sha256 {sha256}, found {found}; the stored file is damaged")
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
        """Remove the file of this key, or every file below it, here and among the local copies."""
        target = self._target(prefix)
        with suppress(FileNotFoundError):
            self._filesystem.rm(target, recursive=True)
        if not self._is_local:
            copies = self._downloads / prefix
            shutil.rmtree(copies) if copies.is_dir() else copies.unlink(missing_ok=True)

    def _target(self, key: str) -> str:
        parts = PurePosixPath(key).parts
        if not parts or "\0" in key or key.startswith("/") or ".." in parts:
            raise StorageError("key: expected a relative path without '..'; found something else")
        return f"{self._root.rstrip('/')}/{PurePosixPath(key)}"

    def _fetched(self, key: str, sha256: str | None) -> Path:
        path = self._downloads / key
        # without a hash there is no telling whether an older copy is still right
        if path.is_file() and sha256 is not None:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            self._filesystem.get_file(self._target(key), str(partial))
            partial.replace(path)
        except FileNotFoundError as error:
            raise StorageError(f"{key}: expected a stored file, found none") from error
        finally:
            partial.unlink(missing_ok=True)
        return path


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
