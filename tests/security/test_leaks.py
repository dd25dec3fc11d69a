"""Keys, and the texts sent to `/classify` and `/embed`, are found nowhere once they are answered; texts of a
corpus only in the files that hold it.

Searched are the database, the log at its most talkative, the numbers for Prometheus, everything in Redis, the
messages to workers among it, what is exported, what is mirrored for TensorBoard, and every file in the
service's folder and the folder for temporary ones. No process of the service leaves a dump of its memory.
"""

import base64
import gzip
import io
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq
import pytest
import redis
from sqlalchemy import text

from db import keys
from db.key_secret import key_secret
from db.keys import NewKey, Scope
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from tests.api.conftest import CORPUS
from tests.api.trained import publish_trained_model
from tests.cli.service import RunningService, running_service
from tests.end_to_end.small_corpus import write_small_corpus

MARK = "Xyzzyplugh"
"""Begins every text that is sent, and stands in nothing else."""
LEXICAL = {"identifier": {"features": "lexical"}, "training": {"epochs": 1}}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"require_keys": True})


@pytest.fixture
def new_keys(settings: Settings, database: Database) -> dict[str, NewKey]:
    """Keys of an admin, of one who may write, and one that is revoked."""
    scopes = {"admin": Scope.ADMIN, "old": Scope.ADMIN, "writer": Scope.WRITE}
    with database.session() as session:
        made = {
            name: keys.create(session, key_secret(settings), name, [scope]) for name, scope in scopes.items()
        }
        keys.revoke(session, made["old"].id)
    return made


@pytest.fixture
def surroundings(
    settings: Settings, new_keys: dict[str, NewKey], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Of a service that says all it can; returns the folder its processes have for temporary files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for name, value in {
        "SIP_DATABASE_URL": settings.require_database_url(),
        "SIP_BROKER_URL": settings.require_broker_url(),
        "SIP_ARTIFACTS_URL": settings.artifacts_url,
        "SIP_REQUIRE_KEYS": "true",
        "SIP_LOG_LEVEL": "debug",
        "SIP_DEVICE": "cpu",
        "SIP_TENSORBOARD_DIR": str(tmp_path / "tensorboard"),
        "TMPDIR": str(temporary),
    }.items():
        monkeypatch.setenv(name, value)
    return temporary


@pytest.fixture
def service(settings: Settings, surroundings: Path) -> Iterator[RunningService]:
    """`sip serve` without a worker: messages to one stay where they can be found."""
    with running_service(settings.data_dir, "--workers", "0") as service:
        yield service


def test_keys_and_texts_are_found_nowhere(
    service: RunningService,
    settings: Settings,
    database: Database,
    store: ArtifactStore,
    broker_url: str,
    new_keys: dict[str, NewKey],
    tmp_path: Path,
) -> None:
    admin = {"Authorization": f"Bearer {new_keys['admin'].secret}"}
    as_writer = {"Authorization": f"Bearer {new_keys['writer'].secret}"}
    unknown = "sip_" + "Q" * 43
    with httpx.Client(base_url=service.url, headers=admin, timeout=120) as client:
        made = client.post("/datasets", data={"name": "tales"}, files={"file": ("t.jsonl", CORPUS)})
        assert made.status_code == 201
        queued = client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"]
        publish_trained_model(database, store, tmp_path, queued, makes_spans=True)
        explained = client.post("/classify", json={"input": f"{MARK} nine", "explain": True})
        assert explained.status_code == 200  # its tokens are told: what was sent comes back to who sent it
        asked = {"evidence": 3, "coverage": 0.9, "level": "token"}
        answers = [
            client.post("/classify", json={"input": [f"{MARK} one, {MARK} two", f"{MARK} three"], **asked}),
            client.post("/classify", json={"input": f"{MARK} four", "explain": True, "coverage": 2}),
            client.post("/classify", json={"input": [f"{MARK} one", f"{MARK} two"]}),
            client.post("/embed", json={"input": f"{MARK} three", "backbone": "minilm"}),
            client.post("/v1/embeddings", json={"input": f"{MARK} four", "model": "minilm", "user": MARK}),
            client.post("/classify", json={"input": f"{MARK} five", "model": "none"}),
            client.post("/classify", json={"input": [f"{MARK} six", ""]}),
            client.post("/classify", json={"input": f"{MARK} seven", "top_k": MARK}),
            client.post("/classify", content=f'{{"input": "{MARK} eight'.encode(), headers=JSON),
            client.post("/embed", content=f'{{"input": "{MARK} \\ud800"}}'.encode(), headers=JSON),
            client.post("/experiments", content=f'{{"kind": "{MARK}"}}'.encode(), headers=JSON),
            client.get(f"/datasets?token={new_keys['admin'].secret}&limit=1"),
            client.get("/datasets", headers={"Authorization": f"Bearer {new_keys['old'].secret}"}),
            client.get("/datasets", headers={"Authorization": f"Bearer {unknown}"}),
            client.get("/datasets", headers={"X-API-Key": new_keys["admin"].secret}),
            client.delete(f"/models/{new_keys['writer'].secret}", headers=as_writer),
            client.post("/classify", json={"input": f"{MARK} ten"}, headers=as_writer),
        ]
        assert [answer.status_code for answer in answers] == [
            200, 422, 200, 200, 200, 404, 422, 422, 400, 400, 422, 200, 401, 401, 200, 403, 200,
        ]  # fmt: skip
        assert all(MARK not in answer.text for answer in answers)
        numbers = client.get("/prometheus").text
        assert _core_limits(service) == {"0"}
    service.close()
    places = {
        "log": "\n".join(service.lines),
        "numbers": numbers,
        "database": _database(database),
        "broker": _broker(broker_url),
        "files": _files(settings.data_dir, tmp_path),
    }
    secrets = [MARK, unknown, *(new.secret for new in new_keys.values())]
    assert _found(places, secrets) == []
    # each search finds what is there
    assert "/classify" in places["log"]
    assert "/classify" in places["numbers"]
    assert new_keys["admin"].id in places["database"]
    assert queued in places["broker"]
    assert key_secret(settings).decode() in places["files"]
    assert "The sea was calm" in places["files"]  # of the corpus, which is kept compressed


def test_what_a_worker_does_leaves_no_key_and_texts_of_a_corpus_only_where_the_corpus_is(
    surroundings: Path,
    settings: Settings,
    database: Database,
    broker_url: str,
    new_keys: dict[str, NewKey],
    tmp_path: Path,
) -> None:
    corpus = write_small_corpus(tmp_path / "small.jsonl")
    marked = re.sub(rb'("text": "[^ ]+ )', rb"\1%s " % MARK.encode(), corpus.read_bytes())
    corpus.unlink()
    writer = {"Authorization": f"Bearer {new_keys['writer'].secret}"}
    with running_service(settings.data_dir) as service:
        with httpx.Client(base_url=service.url, headers=writer, timeout=120) as client:
            made = client.post("/datasets", data={"name": "marked"}, files={"file": ("t.jsonl", marked)})
            assert made.status_code == 201
            trained = _finished(
                client, {"kind": "train", "name": "m", "dataset": "marked", "config": LEXICAL}
            )
            wanted = {"classify": {"model": "m"}}
            classified = _finished(client, {"kind": "classify", "dataset": "marked", "config": wanted})
            exports = [
                *(
                    client.get(f"/experiments/{trained['id']}/artifacts/{file['name']}")
                    for file in trained["artifacts"]
                ),
                client.get(f"/experiments/{trained['id']}/report"),
                client.get(f"/experiments/{classified['id']}/results", params={"format": "csv"}),
                client.get("/metrics", params={"format": "csv"}),
                client.get("/prometheus"),
            ]
            archive = client.get("/models/m/download")
            assert [answer.status_code for answer in (*exports, archive)] == [200] * (len(exports) + 1)
        assert _core_limits(service) == {"0"}
    mirrored = _files(tmp_path / "tensorboard")
    places = {
        "log": "\n".join(service.lines),
        "database": _database(database),
        "broker": _broker(broker_url),
        "exports": "\n".join(answer.text for answer in exports),
        "mirror": mirrored,
        "temporary": _files(surroundings),
    }
    secrets = [new.secret for new in new_keys.values()]
    assert _found(places, [MARK, *secrets]) == []
    everywhere = {
        "files": _files(settings.data_dir, tmp_path),
        "archive": _unpacked("m.zip", archive.content),
    }
    assert _found(everywhere, secrets) == []
    # each search finds what is there
    assert MARK in everywhere["files"]
    assert "train/loss" in mirrored
    assert "train/loss" in places["exports"]
    assert "attempt 1" in places["log"]


def _finished(client: httpx.Client, wanted: dict[str, object]) -> Any:
    """An experiment that has succeeded."""
    id = client.post("/experiments", json=wanted).raise_for_status().json()["id"]
    since = 0
    while (experiment := client.get(f"/experiments/{id}").json())["status"] in ("queued", "running"):
        page = client.get("/metrics", params={"experiment": id, "since": since, "wait": 5}).json()
        since = page["next_since"]
    assert experiment["status"] == "succeeded", experiment
    return experiment


def _core_limits(service: RunningService) -> set[str]:
    """How large a dump of its memory each process of ours may leave."""
    processes = [
        psutil.Process(service.process.pid),
        *psutil.Process(service.process.pid).children(recursive=True),
    ]
    limits = [Path(f"/proc/{process.pid}/limits").read_text() for process in processes]
    return {line.split()[4] for text in limits for line in text.splitlines() if "core file" in line}


def _found(places: dict[str, str], secrets: list[str]) -> list[tuple[str, str]]:
    """Which secrets are where: as they are, whatever the case of their letters, or in base64."""
    found = []
    for place, content in places.items():
        lowered = content.lower()
        for secret in secrets:
            bare = secret.removeprefix("sip_")
            if bare.lower() in lowered or any(form in content for form in _in_base64(bare)):
                found.append((place, secret))
    return found


def _in_base64(text: str) -> Iterator[str]:
    """What has to be in any base64 of bytes with `text` in them; which of three it is, its place decides."""
    for before in range(3):
        encoded = base64.b64encode(b" " * before + text.encode()).decode()
        yield encoded[(0, 2, 3)[before] : (before + len(text)) // 3 * 4]


def _database(database: Database) -> str:
    """Every row of every table."""
    with database.session() as session:
        tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        rows = [
            row for table in tables for row in session.scalars(text(f'SELECT t::text FROM "{table}" AS t'))
        ]
    return "\n".join(rows)


def _broker(url: str) -> str:
    """Everything in Redis, as it is kept."""
    client = redis.Redis.from_url(url.replace("redis+socket://", "unix://", 1))
    read: dict[object, Callable[[bytes], object]] = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    kept = [f"{key!r} {read[client.type(key)](key)!r}" for key in client.scan_iter()]
    client.close()
    return "\n".join(kept)


def _files(*folders: Path) -> str:
    """Every file below these folders, unpacked where it is packed."""
    paths = [
        Path(parent) / name for folder in folders for parent, _, names in os.walk(folder) for name in names
    ]
    return "\n".join(_unpacked(path.name, path.read_bytes()) for path in paths if path.is_file())


def _unpacked(name: str, content: bytes) -> str:
    match Path(name).suffix:
        case ".parquet":
            return str(pq.read_table(io.BytesIO(content)).to_pylist())
        case ".gz":
            return gzip.decompress(content).decode("latin-1")
        case ".zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return "\n".join(_unpacked(entry, archive.read(entry)) for entry in archive.namelist())
        case _:
            return content.decode("latin-1")
