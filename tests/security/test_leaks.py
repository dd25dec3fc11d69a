"""Keys, and the texts sent to `/classify` and `/embed`, are found nowhere once they are answered.

Searched are the database, the log at its most talkative, the numbers for Prometheus, everything in Redis, the
messages to workers among it, and every file in the service's folder, dumps of its memory included.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
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

MARK = "Xyzzyplugh"
"""Begins every text that is sent, and stands in nothing else."""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"require_keys": True})


@pytest.fixture
def new_keys(settings: Settings, database: Database) -> dict[str, NewKey]:
    """Keys of an admin and of one that is revoked."""
    with database.session() as session:
        made = {
            name: keys.create(session, key_secret(settings), name, [Scope.ADMIN]) for name in ("admin", "old")
        }
        keys.revoke(session, made["old"].id)
    return made


@pytest.fixture
def service(
    settings: Settings, new_keys: dict[str, NewKey], monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningService]:
    """`sip serve`, which says all it can, without a worker: messages to one stay where they can be found."""
    for name, value in {
        "SIP_DATABASE_URL": settings.require_database_url(),
        "SIP_BROKER_URL": settings.require_broker_url(),
        "SIP_ARTIFACTS_URL": settings.artifacts_url,
        "SIP_REQUIRE_KEYS": "true",
        "SIP_LOG_LEVEL": "debug",
        "SIP_DEVICE": "cpu",
    }.items():
        monkeypatch.setenv(name, value)
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
    unknown = "sip_" + "Q" * 43
    with httpx.Client(base_url=service.url, headers=admin, timeout=120) as client:
        made = client.post("/datasets", data={"name": "tales"}, files={"file": ("t.jsonl", CORPUS)})
        assert made.status_code == 201
        queued = client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"]
        publish_trained_model(database, store, tmp_path, queued, "lexical")
        answers = [
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
        ]
        assert [answer.status_code for answer in answers] == [
            200, 200, 200, 404, 422, 422, 400, 400, 422, 200, 401, 401, 200,
        ]  # fmt: skip
        assert all(MARK not in answer.text for answer in answers)
        numbers = client.get("/prometheus").text
        limits = Path(f"/proc/{service.process.pid}/limits").read_text()
    service.close()
    places = {
        "log": "\n".join(service.lines),
        "numbers": numbers,
        "database": _database(database),
        "broker": _broker(broker_url),
        "files": _files(settings.data_dir, tmp_path),
    }
    secrets = [MARK, unknown, *(new.secret for new in new_keys.values())]
    secrets += [new.secret.removeprefix("sip_") for new in new_keys.values()]
    found = [(place, secret) for place, content in places.items() for secret in secrets if secret in content]
    assert found == []
    # each search finds what is there
    assert "/classify" in places["log"]
    assert "/classify" in places["numbers"]
    assert new_keys["admin"].id in places["database"]
    assert queued in places["broker"]
    assert key_secret(settings).decode() in places["files"]
    assert [line.split()[4] for line in limits.splitlines() if "core file" in line] == ["0"]


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
    """Every file below these folders."""
    paths = [
        Path(parent) / name for folder in folders for parent, _, names in os.walk(folder) for name in names
    ]
    return "\n".join(path.read_bytes().decode("latin-1") for path in paths if path.is_file())
