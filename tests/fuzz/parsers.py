"""What reads files of strangers, each with honest files to begin from."""

import datetime
import decimal
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save

from sip_model.backbones.parameters import num_inner_parameters
from sip_model.backbones.weight_files import read_header
from sip_model.corpora.formats import read_corpus
from sip_model.corpora.limits import CorpusLimits
from tests.security.archives import poisoned, zipped

LIMITS = CorpusLimits(max_entries=10_000, max_sources=10_000, max_bytes=2**28)
ROWS: list[dict[str, object]] = [
    {"text": f"The sea {n} was calm.", "source": f"s{n % 3}", "document": str(n)} for n in range(9)
]


WITH_MORE = [
    row
    | {
        "sources": ["a", "b"],
        "day": datetime.date(2000, 1, 1 + n),
        "time": datetime.datetime(2000, 1, 1, 1, n, tzinfo=datetime.UTC),
        "length": datetime.timedelta(seconds=n),
        "price": decimal.Decimal(n) / 4,
        "share": n / 7,
        "more": {"x": n, "y": [n]},
    }
    for n, row in enumerate(ROWS)
]


@dataclass(frozen=True)
class Parser:
    """A reader and what it reads."""

    read: Callable[[Path], object]
    seeds: list[bytes]
    """Files."""
    folders: list[dict[str, bytes]] = field(default_factory=list)
    """Contents of zips, by name."""


def _corpus(format: str) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        return sum(len(document.text) for document in read_corpus(path, format, LIMITS))

    return read


def _weights(path: Path) -> object:
    """Our own look at the header, then the library's."""
    read_header(path)
    weights = path.with_name("model.safetensors")
    weights.unlink(missing_ok=True)
    weights.hardlink_to(path)
    return num_inner_parameters(path.parent)


def _jsonl() -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


def _parquet(rows: list[dict[str, object]] = ROWS, **options: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer, **options)
    return buffer.getvalue()


def parsers() -> dict[str, Parser]:
    """Name → parser; what the catalogue of poisoned files holds for it is among its seeds."""
    bad = {name: content for name, (_, content) in poisoned().items() if len(content) < 200_000}
    bad_zips = [content for name, content in bad.items() if name.startswith("zip")]
    csv = b"text,source\n" + b"".join(f'"{row["text"]}",{row["source"]}\n'.encode() for row in ROWS)
    articles = (
        b" = Title = \n\n Some text . \n\n = = Section = = \n\n More <unk> text . \n\n = Other = \n\n x \n"
    )
    labelled = {
        "trn.json": b'{"uid": "1", "title": "x", "content": "y", "target_ind": [0, 1]}\n',
        "lbl.json": b'{"uid": "1", "title": "a"}\n{"uid": "2", "title": "b"}\n',
    }
    beside = {"trn_X.txt": b"x y\nz\n", "trn_X_Y.txt": b"2 2\n0:1.0\n1:1.0 0:1.0\n", "Yf.txt": b"a\nb\n"}
    packed = {f"{name}.gz": gzip.compress(content) for name, content in labelled.items()}
    books = {
        "metadata.csv": b"1,A book,1900,u\n2,Another,1901,v\n",
        "train/1.txt": b"x y",
        "test/2.txt": b"z",
    }
    folder = {"a/1.txt": b"x y z", "b/1.txt": b"y", "b/2.txt": "é".encode()}
    tensors = save({"a.0.weight": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float16)})
    return {
        "jsonl": Parser(
            _corpus("jsonl"), [_jsonl(), gzip.compress(_jsonl()), bad["jsonl: a lone surrogate"]]
        ),
        "csv": Parser(_corpus("csv"), [csv, gzip.compress(csv), bad["csv: an open quote"]]),
        "parquet": Parser(
            _corpus("parquet"),
            [
                _parquet(),
                _parquet(compression="none", use_dictionary=False),
                _parquet(compression="zstd"),
                _parquet(WITH_MORE),
            ],
        ),
        "text_folder": Parser(_corpus("text_folder"), [zipped(folder), *bad_zips], [folder]),
        "pg19": Parser(_corpus("pg19"), [zipped(books)], [books]),
        "wikitext": Parser(
            _corpus("wikitext"), [articles, gzip.compress(articles)], [{"wiki.train.tokens": articles}]
        ),
        "xmc": Parser(_corpus("xmc"), [zipped(labelled), zipped(beside)], [labelled, beside, packed]),
        "safetensors": Parser(_weights, [tensors]),
    }
