"""The hub's own library against a server that answers as the hub does, over HTTP."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sip_model.corpora.document import Document
from sip_model.corpora.hub import HubDataset
from sip_model.errors import CorpusError, OriginUnreachableError
from sip_model.experiments.ingest import HubOrigin
from tests.servers.hub import COMMIT, HubServer

REPO = "acme/novels"
SCRIPT = "raise SystemExit('never run')\n"
LIMIT = 2**20


def parquet(columns: Mapping[str, list[object]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(columns)), sink)
    return bytes(sink.getvalue().to_pybytes())


def jsonl(*rows: Mapping[str, object]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def publish(hub: HubServer, files: Mapping[str, bytes], repo: str = REPO) -> None:
    for name, content in files.items():
        path = hub.folder / repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read(hub: HubServer, tmp_path: Path, limit: int = LIMIT, **origin: str) -> list[Document]:
    dataset = HubDataset(HubOrigin(**({"repo": REPO} | origin)), tmp_path / "scratch", hub.url)
    found = dataset.find(limit)
    assert found.commit == COMMIT
    counts: list[int] = []
    documents = list(dataset.documents(found, counts.append))
    assert counts == list(range(len(found.files) + 1))
    assert not [path for path in (tmp_path / "scratch").rglob("*.parquet") if path.is_file()]
    return documents


DEFAULT_LAYOUT = {
    "novels.py": SCRIPT.encode(),
    "data/train-00000-of-00002.parquet": parquet(
        {"text": ["It was the best of times."], "source": ["Dickens"], "embedding": [[1.5, 2.5]]}
    ),
    "data/train-00001-of-00002.parquet": parquet({"text": ["Call me Ishmael."], "source": ["Melville"]}),
    "data/test-00000-of-00001.parquet": parquet({"text": ["Emma Woodhouse."], "source": ["Austen"]}),
}


def test_the_default_layout_is_read_split_by_split_and_no_script_is_fetched(
    hub: HubServer, tmp_path: Path
) -> None:
    publish(hub, DEFAULT_LAYOUT)
    documents = read(hub, tmp_path)
    assert [(d.document, d.sources, d.split) for d in documents] == [
        ("data/train-00000-of-00002.parquet:1", ("Dickens",), "train"),
        ("data/train-00001-of-00002.parquet:1", ("Melville",), "train"),
        ("data/test-00000-of-00001.parquet:1", ("Austen",), "test"),
    ]
    assert sorted(hub.fetched) == sorted(name for name in DEFAULT_LAYOUT if name.startswith("data/"))
    assert [d.split for d in read(hub, tmp_path, split="test")] == ["test"]


def test_labels_that_are_numbers_get_the_names_the_file_has_for_them(hub: HubServer, tmp_path: Path) -> None:
    features = {"label": {"names": ["World", "Sports"], "_type": "ClassLabel"}}
    table = pa.table({"text": ["One.", "Two.", "Three."], "label": [1, 0, 7]})
    for name, described in (("a/known", {"info": {"features": features}}), ("a/odd", {"info": 5})):
        sink = pa.BufferOutputStream()
        pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(described)}), sink)
        publish(hub, {"train.parquet": sink.getvalue().to_pybytes()}, name)
    known = read(hub, tmp_path, repo="a/known", source_column="label")
    assert [d.sources for d in known] == [("Sports",), ("World",), ("7",)]
    odd = read(hub, tmp_path, repo="a/odd", source_column="label")
    assert [d.sources for d in odd] == [("1",), ("0",), ("7",)]


CARD = b"""---
license: mit
configs:
- config_name: verse
  data_files: "verse/*.jsonl*"
- config_name: prose
  default: true
  data_files:
  - split: train
    path: ["prose/**/a.jsonl", "prose/b.csv"]
  - split: held_out
    path: prose/c.jsonl
---
# Novels
"""
DESCRIBED = {
    "README.md": CARD,
    "load.py": SCRIPT.encode(),
    "verse/v.jsonl.gz": gzip.compress(jsonl({"text": "Tyger", "source": "Blake"})),
    "prose/deep/down/a.jsonl": jsonl({"body": "One.", "by": ["x", "y"], "document": "d1", "date": 1815}),
    "prose/b.csv": b"by,body,more\nz,Two.,0\n",
    "prose/c.jsonl": jsonl({"body": "Three.", "by": 3, "document": "d3"}),
}


def test_the_card_says_which_files_a_configuration_has(hub: HubServer, tmp_path: Path) -> None:
    publish(hub, DESCRIBED)
    documents = read(hub, tmp_path, text_column="body", source_column="by")
    assert [(d.document, d.text, d.sources, d.date, d.split) for d in documents] == [
        ("prose/b.csv:1", "Two.", ("z",), None, "train"),
        ("d1", "One.", ("x", "y"), "1815", "train"),
        ("d3", "Three.", ("3",), None, "held_out"),
    ]
    assert [d.sources for d in read(hub, tmp_path, config="verse")] == [("Blake",)]
    held_out = read(hub, tmp_path, split="held_out", text_column="body", source_column="by")
    assert [d.document for d in held_out] == ["d3"]
    assert "load.py" not in hub.fetched


def test_rows_that_are_lines_of_wikitext_become_articles(hub: HubServer, tmp_path: Path) -> None:
    lines: list[object] = ["", " = A = \n", "", " Text of A . \n", None, " = B = \n", "", " Text of B . \n"]
    files = {f"v1/{split}-00000-of-00001.parquet": parquet({"text": lines}) for split in ("train", "test")}
    publish(hub, files)
    dataset = HubDataset(HubOrigin(repo=REPO, config="v1"), tmp_path / "scratch", hub.url)
    documents = list(dataset.articles(dataset.find(LIMIT), lambda number: None))
    assert [(d.document, d.text, d.split) for d in documents] == [
        ("A", "Text of A .", "train"),
        ("B", "Text of B .", "train"),
        ("A (2)", "Text of A .", "test"),
        ("B (2)", "Text of B .", "test"),
    ]


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ({"repo": "acme/none"}, r"^hub\.repo: expected a dataset repository of the hub"),
        ({"revision": "v9"}, r"^hub\.revision: expected a branch, tag or commit"),
        ({"config": "poems"}, r"^hub\.config: expected one of verse, prose; found another name"),
        ({"split": "dev"}, r"^hub\.split: expected one of train, held_out; found another name"),
        (
            {"text_column": "no"},
            r"^prose/b\.csv: expected the columns no and source; found other ones: by, body",
        ),
        ({"text_column": "body"}, r"^prose/b\.csv: expected the columns body and source"),
        ({"text_column": "more", "source_column": "by"}, r"^prose/deep/down/a\.jsonl: expected the columns"),
    ],
)
def test_what_is_not_there_is_named(
    hub: HubServer, tmp_path: Path, origin: dict[str, str], message: str
) -> None:
    publish(hub, DESCRIBED)
    with pytest.raises(CorpusError, match=message):
        read(hub, tmp_path, LIMIT, **origin)


def test_a_bad_row_names_file_and_row(hub: HubServer, tmp_path: Path) -> None:
    good = {"text": "x", "source": "a"}
    publish(hub, {"a.jsonl": jsonl(good, {"text": " ", "source": "a"})})
    with pytest.raises(CorpusError, match=r"^a\.jsonl row 2\.text: expected text that is not blank"):
        read(hub, tmp_path)
    publish(hub, {"b.jsonl": jsonl(good) + b"{\n"}, "acme/other")
    with pytest.raises(CorpusError, match=r"^b\.jsonl line 2: expected a JSON object"):
        read(hub, tmp_path, repo="acme/other")


def test_more_than_the_limit_is_refused_before_it_is_fetched(hub: HubServer, tmp_path: Path) -> None:
    publish(hub, DEFAULT_LAYOUT)
    with pytest.raises(CorpusError, match=r"^hub\.repo: expected at most 1000 bytes .* SIP_MAX_IMPORT_BYTES"):
        read(hub, tmp_path, limit=1000)
    assert hub.fetched == []


@pytest.mark.parametrize(
    "card", [b"---\n- a list\n---\n", b"---\na: [\n---\n", b"---\nconfigs: [{data_files: 5}]\n---\n", b"\xff"]
)
def test_a_card_that_cannot_be_read_is_refused(hub: HubServer, tmp_path: Path, card: bytes) -> None:
    publish(hub, {**DEFAULT_LAYOUT, "README.md": card})
    with pytest.raises(CorpusError, match=r"^hub\.(repo|config): expected .*README\.md"):
        read(hub, tmp_path)


def test_a_gated_repository_says_what_to_do(hub: HubServer, tmp_path: Path) -> None:
    publish(hub, DEFAULT_LAYOUT)
    hub.gated.add(REPO)
    with pytest.raises(CorpusError, match=r"found a gated one\. Ask for access"):
        read(hub, tmp_path)


def test_a_repository_without_data_files_is_refused(hub: HubServer, tmp_path: Path) -> None:
    publish(hub, {"README.md": b"# Nothing\n", "load.py": SCRIPT.encode(), "data.pkl": b"x"})
    with pytest.raises(CorpusError, match=r"^hub\.repo: expected data files \(\.parquet"):
        read(hub, tmp_path)
    assert hub.fetched == ["README.md"]


def test_a_hub_that_does_not_answer_is_told_from_a_refusal(hub: HubServer, tmp_path: Path) -> None:
    publish(hub, DEFAULT_LAYOUT)
    dataset = HubDataset(HubOrigin(repo=REPO), tmp_path / "scratch", hub.url)
    hub.broken = True
    with pytest.raises(OriginUnreachableError):
        dataset.find(LIMIT)
    with pytest.raises(OriginUnreachableError):
        HubDataset(HubOrigin(repo=REPO), tmp_path / "scratch", "http://127.0.0.1:9").find(LIMIT)
