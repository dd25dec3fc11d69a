"""Hostile requests: keys, methods, headers, bodies, paths and queries. Names say what is tried."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.security import archives
from tests.security.hostile import FORM, JSON_TYPE, MARK, Hostile

UNKNOWN_KEY = "sip_" + "A" * 43


def keys() -> Iterator[Hostile]:
    """Guesses, and keys in places where none is looked for."""
    headers: dict[str, dict[str, Any]] = {
        "none": {},
        "empty": {"Authorization": ""},
        "scheme alone": {"Authorization": "Bearer"},
        "scheme and space": {"Authorization": "Bearer "},
        "unknown": {"Authorization": f"Bearer {UNKNOWN_KEY}"},
        "of the right length": {"Authorization": "Bearer " + "x" * 47},
        "too short": {"Authorization": "Bearer sip_" + "A" * 42},
        "too long": {"Authorization": f"Bearer {UNKNOWN_KEY}A"},
        "ten thousand characters": {"Authorization": "Bearer sip_" + "A" * 10_000},
        "two words": {"Authorization": f"Bearer {UNKNOWN_KEY} {UNKNOWN_KEY}"},
        "basic": {"Authorization": "Basic " + base64.b64encode(b"admin:admin").decode()},
        "digest": {"Authorization": 'Digest username="admin"'},
        "without scheme": {"Authorization": UNKNOWN_KEY},
        "a quote": {"Authorization": "Bearer sip_' OR '1'='1"},
        "a wildcard": {"Authorization": "Bearer sip_%"},
        "latin letters": {"Authorization": b"Bearer sip_\xe9\xff"},
        "in a cookie": {"Cookie": f"key={UNKNOWN_KEY}; Authorization=Bearer {UNKNOWN_KEY}"},
        "in X-API-Key": {"X-API-Key": UNKNOWN_KEY},
        "as proxy": {"Proxy-Authorization": f"Bearer {UNKNOWN_KEY}"},
        "of an inner address": {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
        "of a local host": {"Host": "localhost"},
        "as another path": {"X-Original-URL": "/health/live", "X-Rewrite-URL": "/health/live"},
    }
    for name, given in headers.items():
        yield Hostile(f"key {name}", 401, "GET", "/datasets", "nobody", {"headers": given})
    for query in ("token", "access_token", "api_key", "key", "Authorization"):
        yield Hostile(f"key in ?{query}", 401, "GET", f"/datasets?{query}={UNKNOWN_KEY}", "nobody")
    yield Hostile("key in the body", 401, "POST", "/classify", "nobody", {"json": {"key": UNKNOWN_KEY}})
    for path in (
        "/health/../datasets",
        "/%2Fdatasets",
        "/docs/../models",
        "/DATASETS",
        "/openapi.json/../models",
    ):
        yield Hostile(f"no key at {path}", 401, "GET", path, "nobody")


def scopes() -> Iterator[Hostile]:
    """What a key's scope doesn't reach."""
    for method, path in (
        ("POST", "/datasets"),
        ("POST", "/experiments"),
        ("POST", "/experiments/{experiment}/cancel"),
        ("POST", "/experiments/{experiment}/retry"),
        ("DELETE", "/experiments/{experiment}"),
        ("DELETE", "/datasets/{dataset}"),
        ("DELETE", "/backbones/{backbone}"),
        ("POST", "/classify/"),
        ("PUT", "/classify"),
    ):
        yield Hostile(f"reader {method} {path}", 403, method, path, "reader")
    for method, path in (("DELETE", "/models/{model}"), ("POST", "/models/{model}/default")):
        yield Hostile(f"writer {method} {path}", 403, method, path)
    yield Hostile(
        "reader overrides the method", 415, "POST", "/classify", "reader",
        {"headers": {"X-HTTP-Method-Override": "DELETE"}, "content": b"x"},
    )  # fmt: skip


def methods_and_headers() -> Iterator[Hostile]:
    """Methods there are not, and headers that would change what a body is."""
    for method in ("PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "OPTIONS", "GETT"):
        yield Hostile(f"method {method}", 405, method, "/datasets")
    body = b'{"input": "' + MARK.encode() + b'"}'
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/xml",
        "",
    ):
        other: dict[str, Any] = {"content": body, "headers": {"Content-Type": kind}}
        yield Hostile(f"content type {kind!r}", 415, "POST", "/classify", request=other)
    # no encoding is undone: the body is what it is
    packed = {"content": body, "headers": {**JSON_TYPE, "Content-Encoding": "gzip"}}
    yield Hostile("gzip that is none", 404, "POST", "/classify", request=packed)
    wide = {
        "content": body.decode().encode("utf-16"),
        "headers": {"Content-Type": "application/json; charset=utf-16"},
    }
    yield Hostile("UTF-16 that is announced", 400, "POST", "/classify", request=wide)
    for name, value in {"control": "a\tb", "long": "x" * 256, "empty": "", "other letters": b"\xe9"}.items():
        request = {"json": {"kind": "train"}, "headers": {"Idempotency-Key": value}}
        yield Hostile(f"idempotency key: {name}", 422, "POST", "/experiments", request=request)


BODIES = {
    "NaN": b'{"input": NaN}',
    "Infinity": b'{"input": -Infinity}',
    "a number beyond floats": b'{"seed": 1e999}',
    "a lone surrogate": b'{"input": "\\ud800"}',
    "a surrogate in a key": b'{"\\udfff": 1}',
    "no UTF-8": b'{"input": "\xff\xfe"}',
    "overlong UTF-8": b'{"input": "\xc0\xae"}',
    "a byte order mark": b'\xef\xbb\xbf{"input": "x"}',
    "100,000 arrays": b"[" * 50_000,
    "2,000 objects": b'{"a":' * 2000 + b"1" + b"}" * 2000,
    "cut short": b'{"input": "abc',
    "two values": b'{"input": "x"} {"input": "y"}',
    "a comment": b'{"input": 1} // ' + MARK.encode(),
    "single quotes": b"{'input': 'x'}",
    "nothing": b"",
    "control characters": b'{"input": "\x01"}',
    "a pickle": b"\x80\x04\x95\x01",
}


def bodies() -> Iterator[Hostile]:
    """Bodies that are no JSON."""
    for path in ("/classify", "/experiments", "/datasets"):
        for name, content in BODIES.items():
            status = 422 if not content and path != "/datasets" else 400
            request = {"content": content, "headers": JSON_TYPE}
            yield Hostile(f"{path}: {name}", status, "POST", path, request=request)


def shapes() -> Iterator[Hostile]:
    """JSON of another shape than was asked for."""
    deep: Any = "x"
    for _ in range(70):
        deep = [deep]
    shapes: dict[str, Any] = {
        "70 levels": {"input": deep},
        "too many texts": {"input": ["x"] * 9},
        "60,000 texts": {"input": ["x"] * 10_000},
        "no text": {"input": []},
        "a blank text": {"input": " \n"},
        "NUL": {"input": "a\0b"},
        "numbers": {"input": [1, 2]},
        "a nested text": {"input": [["x"]]},
        "an object": {"input": {"$ne": None}},
        "a prototype": {"input": "x", "__proto__": {"admin": True}},
        "an unknown key": {"input": "x", "other": MARK},
        "200 unknown keys": {f"k{n}": n for n in range(200)},
        "an integer beyond 64 bits": {"input": "x", "top_k": 2**63},
        "a negative number": {"input": "x", "top_k": -1},
        "a fraction for a number": {"input": "x", "top_k": 1.5},
        "a boolean for a number": {"input": "x", "top_k": True},
        "text for a number": {"input": "x", "top_k": "5"},
        "NUL in a name": {"input": "x", "model": "a\0"},
        "a long name": {"input": "x", "model": "x" * 1000},
        "null": None,
        "a list": [MARK],
        "a string": MARK,
    }
    for name, body in shapes.items():
        content = json.dumps(body).encode()
        request = {"content": content, "headers": JSON_TYPE}
        yield Hostile(f"classify {name}", 422, "POST", "/classify", request=request)
    for model in (
        "../../etc/passwd",
        "' OR 1=1 --",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "%00",
        "mdl_",
        "default@1",
    ):
        request = {"json": {"input": "x", "model": model}}
        yield Hostile(f"model {model}", 404, "POST", "/classify", request=request)
    for kind in ("__class__", "ingest", "train\n", "os.system", "TRAIN", ""):
        request = {"json": {"kind": kind, "dataset": "{dataset}"}}
        yield Hostile(f"kind {kind!r}", 422, "POST", "/experiments", request=request)


def sizes() -> Iterator[Hostile]:
    """Bodies over the limit, however long they say they are."""
    big = b'{"input": "' + b"x" * 70_000 + b'"}'
    for who in ("ann", "nobody"):
        for name, length in (("a terabyte", "1000000000000"), ("a number without end", "9" * 200)):
            request = {"content": b"{", "headers": {**JSON_TYPE, "Content-Length": length}}
            yield Hostile(f"{name} is announced by {who}", 413, "POST", "/classify", who, request)
    yield Hostile("a long body", 413, "POST", "/classify", request={"content": big, "headers": JSON_TYPE})
    yield Hostile(
        "a long chunked body", 413, "POST", "/classify",
        request={"content": archives.Chunks(big), "headers": JSON_TYPE},
    )  # fmt: skip
    yield Hostile(
        "a long body for what reads none", 413, "POST", "/experiments/{experiment}/cancel",
        request={"content": b"x" * 70_000},
    )  # fmt: skip
    upload = archives.form(b"x" * 300_000, "c.jsonl")
    yield Hostile("a long upload", 413, "POST", "/datasets", request={"content": upload, "headers": FORM})
    yield Hostile(
        "a long upload in chunks", 413, "POST", "/datasets",
        request={"content": archives.Chunks(upload), "headers": FORM},
    )  # fmt: skip


def paths() -> Iterator[Hostile]:
    """Paths that would lead elsewhere, or nowhere."""
    parts = {
        "dots": "..%2f..%2f..%2fetc%2fpasswd",
        "double encoding": "%252e%252e%252fetc%252fpasswd",
        "backslashes": "..%5c..%5cwindows",
        "overlong dots": "%c0%ae%c0%ae%c0%af",
        "an address": "http:%2f%2f127.0.0.1",
        "a template": "%7b%7b7*7%7d%7d",
        "SQL": "x';DROP%20TABLE%20datasets;--",
        "5,000 characters": "x" * 5000,
        "a right-to-left mark": "%e2%80%aegnp.exe",
    }
    for resource in ("datasets", "experiments", "models", "backbones"):
        for name, part in parts.items():
            # a slash in an id makes it another path, and an id may be so long
            status = 422 if name == "5,000 characters" else 404
            yield Hostile(f"/{resource}: {name}", status, "GET", f"/{resource}/{part}")
        yield Hostile(f"/{resource}: NUL", 422, "GET", f"/{resource}/a%00b")
    for name in ("..%2f..%2fkey.secret", "%2fetc%2fpasswd", ".", "left.json%2f..", "LEFT.JSON"):
        yield Hostile(f"artifact {name}", 404, "GET", f"/experiments/{{experiment}}/artifacts/{name}")
    yield Hostile("artifact NUL", 422, "GET", "/experiments/{experiment}/artifacts/left.json%00")
    yield Hostile("a problem's page", 404, "GET", "/problems/%3Cscript%3E")


def queries() -> Iterator[Hostile]:
    """Queries beyond what they may be."""
    cursors = (b"\0", b"' OR 1=1", b"\xff", "é".encode(), b"")
    encoded = [base64.urlsafe_b64encode(cursor).decode().rstrip("=") for cursor in cursors]
    for number, cursor in enumerate((*encoded, "!!!", "a" * 501)):
        # what could be a cursor finds nothing behind it
        status = 200 if number == 1 else 422
        yield Hostile(f"cursor {number}", status, "GET", f"/datasets?cursor={cursor}")
    for query in (
        "limit=0", "limit=501", "limit=NaN", "limit=1e3", "limit=-1", f"limit={10**20}", "order=up",
    ):  # fmt: skip
        yield Hostile(f"datasets?{query}", 422, "GET", f"/datasets?{query}")
    for query in (
        "since=-1", "since=9223372036854775808", "wait=Infinity", "wait=NaN", "wait=31", "latest=perhaps",
        "format=html", "layer=-1", "seed=99999999999", "limit=5001", "name=%00", "experiment=a%00",
    ):  # fmt: skip
        yield Hostile(f"metrics?{query}", 422, "GET", f"/metrics?{query}")
    many = "&".join(["name=x"] * 201)
    yield Hostile("metrics of 201 names", 422, "GET", f"/metrics?{many}")
