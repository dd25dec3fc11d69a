"""Hostile datasets: where they would be read from, what would read them, and the files themselves."""

from collections.abc import Iterator
from typing import Any

from tests.security import archives
from tests.security.hostile import FORM, Hostile

ADDRESSES = (
    "http://127.0.0.1:1/x.jsonl", "http://localhost/x.jsonl", "http://169.254.169.254/latest/meta-data",
    "http://[::1]/x.jsonl", "http://0x7f000001/x.jsonl", "http://2130706433/x.jsonl", "https://example.com/x.jsonl",
    "ftp://example.com/x.jsonl", "gopher://127.0.0.1:6379/_FLUSHALL", "dict://127.0.0.1:6379/info",
    "file:///etc/passwd", "file://localhost/etc/passwd", "data:text/plain,x", "jar:file:///x.zip!/y",
    "s3://bucket/x.jsonl", "gs://bucket/x.jsonl", "simplecache::s3://bucket/x", "\\\\host\\share\\x.jsonl",
)  # fmt: skip
FILES = (
    "/etc/passwd", "/proc/self/environ", "/dev/zero", "../../../etc/passwd", "~/.ssh/id_rsa", ".", "/", "",
    "/tmp/../etc/passwd", "//etc/passwd",
)  # fmt: skip


def origins() -> Iterator[Hostile]:
    """Places that a corpus may not be read from."""
    for place in (*ADDRESSES, *FILES):
        for kind in ("uri", "path") if place in ADDRESSES else ("path",):
            request = {"json": {"name": "x", "from": {kind: place}}}
            yield Hostile(f"{kind} {place!r}", 422, "POST", "/datasets", request=request)
    for repo in (
        "someone/else",
        "../x",
        "EleutherAI/../x",
        "http://127.0.0.1/x",
        "EleutherAI/a?b",
        "a" * 500,
    ):
        request = {"json": {"name": "x", "from": {"hub": {"repo": repo}}}}
        yield Hostile(f"hub {repo[:30]}", 422, "POST", "/datasets", request=request)
    origins: dict[str, Any] = {
        "two": {"builtin": "python-docs", "path": "/etc/passwd"},
        "none": {},
        "another built-in": {"builtin": "../python-docs"},
        "code": {"hub": {"repo": "EleutherAI/pile", "trust_remote_code": True}},
    }
    for name, origin in origins.items():
        request = {"json": {"name": "x", "from": origin}}
        yield Hostile(f"origin: {name}", 422, "POST", "/datasets", request=request)


def backbones() -> Iterator[Hostile]:
    """Language models that may not be named, and what would run code of theirs."""
    for id in (
        "someone/else", "../../etc", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/x",
        "gpt2/../../x", "minilm\0", "", "x" * 300, "EleutherAI/pythia-70m@main", "~/.cache", "bb_none", "s3://bucket/x",
    ):  # fmt: skip
        embed = {"json": {"input": "x", "backbone": id}}
        yield Hostile(f"embed with {id[:30]!r}", 422, "POST", "/embed", request=embed)
    for name, block in {
        "a folder": {"id": "/etc"},
        "another hub id": {"id": "someone/else"},
        "a revision that leads out": {"id": "EleutherAI/pythia-70m", "revision": "../main"},
        "remote code": {"id": "minilm", "trust_remote_code": True},
        "a class": {"id": "minilm", "auto_map": {"AutoModel": "x.Y"}},
    }.items():
        body = {"kind": "train", "dataset": "{dataset}", "config": {"backbone": block}}
        yield Hostile(f"train on {name}", 422, "POST", "/experiments", request={"json": body})


def multipart() -> Iterator[Hostile]:
    """Forms that are broken."""
    whole = archives.form(b"x", "c.jsonl")
    for name, status, content, headers in (
        ("no boundary", 400, whole, {"Content-Type": "multipart/form-data"}),
        ("a boundary of 300", 400, whole, {"Content-Type": "multipart/form-data; boundary=" + "b" * 300}),
        ("another boundary", 400, whole, {"Content-Type": "multipart/form-data; boundary=c"}),
        ("cut short", 400, whole[:-8], FORM),
        ("nothing", 400, b"", FORM),
        ("a header without end", 400, b"--b\r\nX: " + b"x" * 20_000, FORM),
        ("no file", 422, archives.fields(name="x"), FORM),
        ("an unknown field", 422, archives.fields(name="x", path="/etc/passwd"), FORM),
        ("a long field", 422, archives.fields(name="x" * 20_000), FORM),
        ("a name twice", 422, archives.fields(name="x")[:-5] + b"\r\n" + archives.fields(name="y"), FORM),
        ("a field of no UTF-8", 400, archives.form(b"x", "c.jsonl", name=b"\xff"), FORM),
    ):
        yield Hostile(
            f"form: {name}", status, "POST", "/datasets", request={"content": content, "headers": headers}
        )


def files() -> Iterator[Hostile]:
    """Corpora that were made to harm whoever reads them."""
    for name, (filename, content) in archives.poisoned().items():
        request = {"content": archives.form(content, filename), "headers": FORM}
        yield Hostile(f"file: {name}", 422, "POST", "/datasets", request=request)


def names() -> Iterator[Hostile]:
    """Names of datasets that would be something else elsewhere."""
    good = b'{"text": "x y", "source": "a"}\n{"text": "y z", "source": "b"}\n'
    for name in (
        "../x", "a/b", "a\\b", "a@1", "ds_x", "mdl_x", "default", ".", "..", " x", "a\nb", "\u202ex", "\x7f",
        "x" * 201, "minilm", "",
    ):  # fmt: skip
        content = archives.form(good, "c.jsonl", name=name.encode())
        yield Hostile(
            f"name {name[:20]!r}", 422, "POST", "/datasets", request={"content": content, "headers": FORM}
        )
    for format in ("pickle", "../jsonl", "JSONL", ""):
        content = archives.form(good, "c.jsonl", format=format.encode())
        yield Hostile(
            f"format {format!r}", 422, "POST", "/datasets", request={"content": content, "headers": FORM}
        )
    for filename in ("c.exe", "c", "c.jsonl/../c", "c.pkl", "c.tar.gz", ".jsonl.", "c.jsonl\0.exe"):
        content = archives.form(good, filename)
        yield Hostile(
            f"file name {filename!r}", 422, "POST", "/datasets", request={"content": content, "headers": FORM}
        )
