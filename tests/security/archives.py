"""Corpus files and forms that no honest client makes."""

import gzip
import io
import pickle
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq


class Chunks:
    """A body of unstated length, which can be sent again."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), 4096):
            yield self._body[start : start + 4096]


def fields(**given: str | bytes) -> bytes:
    """A form of short fields with the boundary ``b``."""
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.encode(), value.encode() if isinstance(value, str) else value)
        for name, value in given.items()
    ]
    return b"".join(parts) + b"--b--"


def form(content: bytes, filename: str, name: bytes = b"poisoned", **more: bytes) -> bytes:
    """A form with a file."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % filename.encode()
    return head + content + b"\r\n" + fields(name=name, **more)


def poisoned() -> dict[str, tuple[str, bytes]]:
    """What is tried → file name and content."""
    jsonl = b'{"text": "x y", "source": "a"}\n{"text": "y z", "source": "b"}\n'
    texts = {"a/1.txt": b"x", "b/1.txt": b"y"}
    table = io.BytesIO()
    pq.write_table(pa.table({"text": ["x"] * 9, "source": ["a", "b", "c"] * 3}), table)
    bomb = io.BytesIO()
    long = {"text": ["x" * 2**20] * 70, "source": ["a"] * 70}
    pq.write_table(pa.table(long), bomb, compression="zstd", use_dictionary=False)
    nested: bytes = gzip.compress(gzip.compress(b"0" * 10**6))
    return {
        # paths in a zip
        "zip: a path that leads out": ("c.zip", zipped({**texts, "../c.txt": b"z"})),
        "zip: a path that leads out from within": ("c.zip", zipped({**texts, "a/../../c.txt": b"z"})),
        "zip: an absolute path": ("c.zip", zipped({**texts, "/etc/cron.d/x": b"z"})),
        "zip: a drive": ("c.zip", zipped({**texts, "C:/x/y.txt": b"z"})),
        "zip: backslashes": ("c.zip", zipped({**texts, "a\\..\\..\\c.txt": b"z"})),
        "zip: a symbolic link": ("c.zip", zipped(texts, link=("a/2.txt", "/etc/passwd"))),
        "zip: a link to a folder": ("c.zip", zipped(texts, link=("c", "../../.."))),
        "zip: a name twice": ("c.zip", twice(texts)),
        "zip: encrypted": ("c.zip", patched(zipped(texts), _encrypted)),
        "zip: another method": ("c.zip", zipped(texts, method=zipfile.ZIP_STORED, claims=99)),
        "zip: a method that nothing bounds": ("c.zip", zipped(texts, method=zipfile.ZIP_LZMA)),
        # zips that are more, or less, than they say
        "zip: a bomb": ("c.zip", zipped({"a/1.txt": b"0" * (80 * 2**20), "b/1.txt": b"y"})),
        "zip: many small bombs": ("c.zip", zipped({f"a/{n}.txt": b"0" * 2**20 for n in range(80)})),
        "zip: one text longer than a document": ("c.zip", zipped({"a/1.txt": b"0" * (65 * 2**20)})),
        "zip: sizes that lie": ("c.zip", patched(zipped(texts), _smaller)),
        "zip: names that are no UTF-8, as it says": ("c.zip", patched(zipped(texts), _wrong_names)),
        "zip: an entry without a name": ("c.zip", zipped({**texts, "": b"z"})),
        "zip: cut short": ("c.zip", zipped(texts)[:-30]),
        "zip: no zip": ("c.zip", b"PK\x03\x04" + b"x" * 100),
        "zip: a tar": ("c.zip", tarred(texts)),
        "zip: empty": ("c.zip", zipped({})),
        "zip: nothing": ("c.zip", b""),
        "zip: damaged": ("c.zip", patched(zipped(texts), _flipped)),
        "zip: files outside of folders": ("c.zip", zipped({"1.txt": b"x"})),
        "zip: bytes that are no text": ("c.zip", zipped({"a/1.txt": b"\xff\xfe\x00", "b/1.txt": b"y"})),
        "zip: NUL in a text": ("c.zip", zipped({"a/1.txt": b"x\0y", "b/1.txt": b"y"})),
        "zip: hidden files alone": ("c.zip", zipped({"a/.x": b"x", "__MACOSX/y": b"y"})),
        # gzip
        "gzip: a bomb": ("c.jsonl.gz", gzip.compress(b"\n" * (80 * 2**20))),
        "gzip: in gzip": ("c.jsonl.gz", nested),
        "gzip: cut short": ("c.jsonl.gz", gzip.compress(jsonl * 50)[:-12]),
        "gzip: a wrong sum": ("c.jsonl.gz", gzip.compress(jsonl)[:-8] + b"\0" * 8),
        "gzip: none": ("c.jsonl.gz", b"\x1f\x8b" + b"x" * 50),
        # JSON lines
        "jsonl: NaN": ("c.jsonl", b'{"text": NaN, "source": "a"}\n'),
        "jsonl: a lone surrogate": ("c.jsonl", b'{"text": "\\ud800", "source": "a"}\n'),
        "jsonl: deep": ("c.jsonl", b'{"text": ' + b"[" * 100_000 + b"\n"),
        "jsonl: no UTF-8": ("c.jsonl", b'{"text": "\xff", "source": "a"}\n'),
        "jsonl: no object": ("c.jsonl", b"[1, 2]\n"),
        "jsonl: a number of 10,000 digits": ("c.jsonl", b'{"text": ' + b"9" * 10_000 + b"}\n"),
        "jsonl: a source that is an object": ("c.jsonl", b'{"text": "x", "source": {"a": 1}}\n'),
        "jsonl: a source of 600 characters": ("c.jsonl", b'{"text": "x", "source": "%s"}\n' % (b"x" * 600)),
        "jsonl: one source": ("c.jsonl", jsonl[: len(jsonl) // 2]),
        "jsonl: UTF-16": ("c.jsonl", jsonl.decode().encode("utf-16")),
        "jsonl: an id twice": ("c.jsonl", jsonl.replace(b'"source"', b'"document": "1", "source"')),
        # CSV
        "csv: an open quote": ("c.csv", b'text,source\n"x,a\n'),
        "csv: NUL": ("c.csv", b"text,source\nx\0,a\n"),
        "csv: too many cells": ("c.csv", b"text,source\nx,a,b\n"),
        "csv: a column twice": ("c.csv", b"text,text,source\nx,y,a\n"),
        "csv: no columns": ("c.csv", b"\n\n\n"),
        # Parquet
        "parquet: none": ("c.parquet", b"PAR1" + b"x" * 100 + b"PAR1"),
        "parquet: cut short": ("c.parquet", table.getvalue()[:-20]),
        "parquet: a footer beyond the file": ("c.parquet", b"PAR1" + struct.pack("<I", 2**31 - 1) + b"PAR1"),
        "parquet: a bomb": ("c.parquet", bomb.getvalue()),
        "parquet: a pickle": ("c.parquet", pickle.dumps({"text": "x"})),
        # others
        "a pickle": ("c.jsonl", pickle.dumps([print])),
        "an executable": ("c.csv", b"\x7fELF" + bytes(200)),
        "pg19 without metadata": ("pg19.zip", zipped({"train/1.txt": b"x"})),
        "pg19 with a file beside": ("pg19.zip", zipped({"metadata.csv": b"1,x,1900,u\n", "x.exe": b"x"})),
        "wikitext without a title": ("c.tokens", b"text before any title\n"),
        "xmc without labels": ("xmc.zip", zipped({"trn.json": b'{"title": "x", "target_ind": [0]}\n'})),
        "xmc with a label beyond": (
            "xmc.zip",
            zipped({"trn.json": b'{"title": "x", "target_ind": [7]}\n', "lbl.json": b'{"title": "a"}\n'}),
        ),
    }


def zipped(
    files: dict[str, bytes],
    link: tuple[str, str] | None = None,
    method: int = zipfile.ZIP_DEFLATED,
    claims: int | None = None,
) -> bytes:
    """A zip of these files; with a symbolic link, or a method that its directory claims."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name.replace("\\", "/"))
            info.filename = name  # as it is given: ZipInfo would mend it
            info.compress_type = method
            archive.writestr(info, content)
        if link is not None:
            info = zipfile.ZipInfo(link[0])
            info.create_system = 3
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, link[1])
    if claims is None:
        return buffer.getvalue()
    return buffer.getvalue().replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00",
        b"PK\x01\x02\x14\x03\x14\x00\x00\x00" + struct.pack("<H", claims),
    )


def twice(files: dict[str, bytes]) -> bytes:
    """A zip with two entries of one name."""
    content = zipped({**files, "a/2.txt": b"z"})
    return content.replace(b"a/2.txt", b"a/1.txt")


def tarred(files: dict[str, bytes]) -> bytes:
    """A tar of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def patched(content: bytes, patch: Callable[[bytearray], object]) -> bytes:
    """The content, changed."""
    changed = bytearray(content)
    patch(changed)
    return bytes(changed)


def _flipped(content: bytearray) -> None:
    """In the compressed bytes of the first entry."""
    content[38] ^= 0xFF


def _encrypted(content: bytearray) -> None:
    content[content.index(b"PK\x01\x02") + 8] |= 1


def _wrong_names(content: bytearray) -> None:
    """The directory says that the first name is UTF-8, which it isn't."""
    place = content.index(b"PK\x01\x02")
    content[place + 9] |= 0x08
    content[place + 46] = 0xFF


def _smaller(content: bytearray) -> None:
    """The directory says of the first entry that nothing comes out of it."""
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", 0)
