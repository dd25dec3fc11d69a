"""API and worker on two machines, so to speak: data folders of their own, and nothing shared but servers."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import Client
from client.answers import Experiment
from client.errors import ApiError
from db.embedded import ServerUrls
from tests.cli.service import running_service
from tests.conftest import migrated_database
from tests.end_to_end.small_corpus import NUM_SOURCES, write_small_corpus
from tests.servers.s3 import S3Server, environment

BUCKET = "two-machines"
TIMEOUT_SECONDS = 120.0
LEXICAL = {"identifier": {"features": "lexical"}, "training": {"epochs": 2}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the data folder of the API and that of the worker."""
    return tmp_path_factory.mktemp("object-store")


@pytest.fixture(scope="module")
def client(servers: ServerUrls, template_database: str, s3: S3Server, folder: Path) -> Iterator[Client]:
    """A client of an API without a worker; a worker runs beside it. All they know comes by environment."""
    s3.make_bucket(BUCKET)
    with migrated_database(servers, template_database) as database_url:
        common = {
            "SIP_DATABASE_URL": database_url,
            "SIP_BROKER_URL": servers.broker_url,
            "SIP_ARTIFACTS_URL": f"s3://{BUCKET}/sip",
            "SIP_DEVICE": "cpu",
        }
        with environment(s3.environment | common):
            command = [sys.executable, "-m", "cli.main", "worker"]
            worker = subprocess.Popen(command, env=os.environ | {"SIP_DATA_DIR": str(folder / "worker")})
            try:
                with (
                    running_service(folder / "api", "--workers", "0") as service,
                    Client(service.url) as client,
                ):
                    yield client
            finally:
                worker.terminate()
                worker.wait()


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Path:
    return write_small_corpus(folder / "corpus.jsonl")


@pytest.fixture(scope="module")
def trained(client: Client, corpus: Path) -> Experiment:
    """A finished training of the model ``small`` on the dataset ``small``."""
    client.datasets.upload(corpus, "small")
    queued = client.experiments.create("train", "small", config=LEXICAL, name="small", seed=1)
    trained = client.wait(queued["id"], timeout_seconds=TIMEOUT_SECONDS)
    assert trained["status"] == "succeeded", trained["error"]
    return trained


def test_corpus_model_and_results_pass_through_the_store_alone(
    client: Client, trained: Experiment, folder: Path, tmp_path: Path
) -> None:
    results = client.classify(["A passage about the sea."], model="small", top_k=NUM_SOURCES)["results"]
    assert len(results[0]["distribution"]) == NUM_SOURCES
    queued = client.experiments.create("classify", "small", config={"classify": {"model": "small"}})
    classified = client.wait(queued["id"], timeout_seconds=TIMEOUT_SECONDS)
    assert classified["status"] == "succeeded", classified["error"]
    assert client.experiments.results(queued["id"], limit=5)["has_more"]
    client.models.download("small", tmp_path / "model.zip")
    names = {"model.json", "identifier.safetensors", "evidence.safetensors"}
    assert set(zipfile.ZipFile(tmp_path / "model.zip").namelist()) == names
    client.experiments.download(trained["id"], "predictions.parquet", tmp_path / "predictions.parquet")
    assert (tmp_path / "predictions.parquet").read_bytes().startswith(b"PAR1")
    assert not [*folder.glob("*/artifacts")]


def test_what_is_deleted_is_gone_from_the_store_and_nothing_else(
    client: Client, trained: Experiment, corpus: Path, s3: S3Server
) -> None:
    before = s3.keys(BUCKET)
    second = client.datasets.upload(corpus, "second")
    added = set(s3.keys(BUCKET)) - set(before)
    assert added == {f"sip/datasets/{second['id']}/corpus.parquet"}
    client.datasets.delete(second["id"])
    assert s3.keys(BUCKET) == before
    assert {key.split("/")[1] for key in before} == {"datasets", "experiments", "models"}


def test_a_result_or_model_that_was_altered_in_the_store_is_not_sent(
    client: Client, trained: Experiment, s3: S3Server, folder: Path, tmp_path: Path
) -> None:
    shutil.rmtree(folder / "api" / "downloads", ignore_errors=True)
    names = ("identifier.safetensors", "sources.json")
    keys = [next(key for key in s3.keys(BUCKET) if key.endswith(name)) for name in names]
    whole = {key: s3.send("GET", f"/{BUCKET}/{key}") for key in keys}
    for key in keys:
        s3.send("PUT", f"/{BUCKET}/{key}", b"something else")
    with pytest.raises(ApiError, match=r"sources\.json: expected sha256") as refusal:
        client.experiments.download(trained["id"], "sources.json", tmp_path / "sources.json")
    assert refusal.value.status == 503
    with pytest.raises(ApiError, match=r"identifier\.safetensors: expected sha256"):
        client.models.download("small", tmp_path / "model.zip")
    for key, content in whole.items():
        s3.send("PUT", f"/{BUCKET}/{key}", content)
    client.experiments.download(trained["id"], "sources.json", tmp_path / "sources.json")
    client.models.download("small", tmp_path / "model.zip")


def test_a_corpus_that_was_altered_in_the_store_is_refused_by_the_worker(
    client: Client, corpus: Path, s3: S3Server
) -> None:
    damaged = client.datasets.upload(corpus, "damaged")
    s3.send("PUT", f"/{BUCKET}/sip/datasets/{damaged['id']}/corpus.parquet", b"something else")
    queued = client.experiments.create("train", "damaged", config=LEXICAL)
    failed = client.wait(queued["id"], timeout_seconds=TIMEOUT_SECONDS)
    assert failed["status"] == "failed"
    assert failed["error"] is not None
    assert "corpus.parquet: expected sha256" in failed["error"]["message"]
