"""A multipart body in whatever pieces it arrives."""

import os
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from fastapi import Request
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import Message

from api.upload import STALE_SECONDS, received_upload, remove_stale_uploads

FILE = b"line one\r\n--not the boundary\r\n\r\nline two\n" * 50
BODY = (
    b'--xyz\r\nContent-Disposition: form-data; name="name"\r\n\r\ntales \xc3\xa9\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="t.jsonl"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n" + FILE + b"\r\n--xyz--\r\n"
)


def request_of(messages: list[Message]) -> Request:
    pending = iter(messages)

    async def receive() -> Message:
        return next(pending)

    headers = [(b"content-type", b"multipart/form-data; boundary=xyz")]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def in_pieces(cuts: list[int]) -> Request:
    bounds = [0, *sorted(cuts), len(BODY)]
    pieces = [BODY[start:end] for start, end in pairwise(bounds)]
    last = len(pieces) - 1
    return request_of(
        [{"type": "http.request", "body": piece, "more_body": n < last} for n, piece in enumerate(pieces)]
    )


async def received(request: Request, folder: Path) -> tuple[bytes, str, dict[str, str]]:
    async with received_upload(request, folder) as upload:
        return upload.path.read_bytes(), upload.filename, upload.fields


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, len(BODY)), max_size=8))
def test_the_file_arrives_whole_however_it_is_cut(
    cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("uploads")
    assert anyio.run(received, in_pieces(cuts), folder) == (FILE, "t.jsonl", {"name": "tales é"})
    assert list(folder.iterdir()) == []


def test_a_caller_that_hangs_up_leaves_nothing(tmp_path: Path) -> None:
    request = request_of(
        [{"type": "http.request", "body": BODY[:300], "more_body": True}, {"type": "http.disconnect"}]
    )
    with pytest.raises(ClientDisconnect):
        anyio.run(received, request, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / "upload-old", tmp_path / "upload-new"
    old.touch()
    new.touch()
    long_ago = new.stat().st_mtime - STALE_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    remove_stale_uploads(tmp_path)
    assert list(tmp_path.iterdir()) == [new]
