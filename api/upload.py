"""A multipart upload, streamed to a temporary file while it arrives."""

import contextlib
import errno
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.errors import MalformedRequestError, UnavailableError, invalid

FIELDS = ("file", "name", "format")
MAX_FIELD_BYTES = 16_384
MAX_HEADER_BYTES = 16_384
WRITE_BYTES = 2**20
STALE_SECONDS = 24 * 3600


@dataclass(slots=True)
class Upload:
    """What a multipart body held."""

    path: Path
    """The file, complete."""
    filename: str
    """The name it had on the sender's machine; never a path of ours."""
    sha256: str
    """Of the file, in hexadecimal digits."""
    fields: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def received_upload(request: Request, folder: Path) -> AsyncIterator[Upload]:
    """The upload in the request's body; its file is removed when the block ends.

    Raises:
        MalformedRequestError: broken or cut short.
        InvalidRequestError: no file, a field twice, an unknown field.
        UnavailableError: no space left for it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix="upload-", dir=folder) as file:
        form = _FormReader(_boundary(request), file.file)
        try:
            pending = bytearray()
            async for block in request.stream():
                pending += block
                if len(pending) >= WRITE_BYTES:
                    await run_in_threadpool(form.feed, bytes(pending))
                    pending.clear()
            await run_in_threadpool(form.feed, bytes(pending))
            await run_in_threadpool(file.flush)
        except OSError as error:
            raise _no_space(error) from error
        filename, fields = form.result()
        yield Upload(Path(file.name), filename, form.sha256.hexdigest(), fields)


def remove_stale_uploads(folder: Path) -> None:
    """Remove what a killed process left; files younger than a day may belong to another process."""
    for path in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                path.unlink()


class _FormReader:
    """Fed with bytes of the body; writes the `file` part to `target` and keeps the short fields."""

    def __init__(self, boundary: bytes, target: IO[bytes]) -> None:
        self.sha256 = hashlib.sha256()
        self._target = target
        self._filename: str | None = None
        self._fields: dict[str, bytearray] = {}
        self._headers: dict[bytes, bytes] = {}
        self._header, self._value = bytearray(), bytearray()
        self._part: bytearray | None = None  # None while in the file part
        self._is_complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, start, end: self._extend_header(
                    self._header, data[start:end]
                ),
                "on_header_value": lambda data, start, end: self._extend_header(self._value, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_part,
                "on_part_data": lambda data, start, end: self._take(data[start:end]),
                "on_end": self._end,
            },
        )

    def feed(self, data: bytes) -> None:
        """Read on."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise MalformedRequestError("The multipart body is broken; send it with `curl -F`.") from error

    def result(self) -> tuple[str, dict[str, str]]:
        """File name and fields, once all is fed."""
        if not self._is_complete:
            raise MalformedRequestError("The multipart body ends before its last boundary.")
        if self._filename is None:
            raise invalid(
                ("body", "file"), "a file part with a file name", "none", "With curl: -F file=@corpus.jsonl"
            )
        try:
            return self._filename, {name: value.decode() for name, value in self._fields.items()}
        except UnicodeDecodeError:
            raise MalformedRequestError("A form field is not UTF-8.") from None

    def _extend_header(self, buffer: bytearray, data: bytes) -> None:
        buffer += data
        if len(buffer) > MAX_HEADER_BYTES:
            raise MalformedRequestError("A part's header is too long.")

    def _end_header(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _begin_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name not in FIELDS:
            raise invalid(("body",), f"the fields {', '.join(FIELDS)}", "another field")
        if name in self._fields or (name == "file" and self._filename is not None):
            raise invalid(("body", name), "the field once", "it again")
        if name == "file":
            self._filename = options.get(b"filename", b"").decode("utf-8", "replace")
            self._part = None
        else:
            self._part = self._fields.setdefault(name, bytearray())

    def _take(self, data: bytes) -> None:
        if self._part is None:
            self._target.write(data)
            self.sha256.update(data)
            return
        self._part += data
        if len(self._part) > MAX_FIELD_BYTES:
            raise invalid(("body",), f"form fields of at most {MAX_FIELD_BYTES} bytes", "a longer one")

    def _end(self) -> None:
        self._is_complete = True


def _boundary(request: Request) -> bytes:
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if not boundary or len(boundary) > 200:
        raise MalformedRequestError("Content-Type: expected multipart/form-data with a boundary; found none.")
    return boundary


def _no_space(error: OSError) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return UnavailableError(
            "The service has no disk space left for this upload.", headers={"Retry-After": "60"}
        )
    return error
