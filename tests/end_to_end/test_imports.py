"""Corpora that are imported rather than sent, over HTTP on a real `sip serve` with its worker."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import Client
from tests.cli.service import running_service
from tests.end_to_end.small_corpus import NUM_SOURCES, write_small_corpus
from tests.servers.hub import COMMIT, HubServer, running_hub
from tests.servers.s3 import environment

TIMEOUT_SECONDS = 120.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("imports")


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[HubServer]:
    """A hub with the small corpus as a repository."""
    (folder / "hub" / "acme" / "books" / "data").mkdir(parents=True)
    write_small_corpus(folder / "hub" / "acme" / "books" / "data" / "train.jsonl")
    with running_hub(folder / "hub") as server:
        yield server


@pytest.fixture(scope="module")
def client(folder: Path, hub: HubServer) -> Iterator[Client]:
    settings = {
        "SIP_DATA_ROOTS": json.dumps([str(folder / "root")]),
        "SIP_HUB_ENDPOINT": hub.url,
        "SIP_ALLOWED_HUB_DATASETS": '["acme/*"]',
        "SIP_DEVICE": "cpu",
    }
    with (
        environment(settings),
        running_service(folder / "data") as service,
        Client(service.url) as client,
    ):
        yield client


def test_a_release_of_books_in_a_data_root_becomes_a_dataset(client: Client, folder: Path) -> None:
    books = folder / "root" / "pg19"
    for number, split in enumerate(("train", "train", "test")):
        (books / split).mkdir(parents=True, exist_ok=True)
        (books / split / f"{number}.txt").write_text(f"The text of book {number}.")
    (books / "metadata.csv").write_text("".join(f"{number},Book {number},1900,\n" for number in range(3)))
    importing = client.datasets.from_path(str(books), "books")
    assert (importing["status"], importing["format"]) == ("importing", "pg19")
    ready = client.wait_for_dataset(importing, timeout_seconds=TIMEOUT_SECONDS)
    assert (ready["status"], ready["num_sources"]) == ("ready", 3), ready
    assert [source["name"] for source in client.datasets.sources("books")] == ["Book 0", "Book 1", "Book 2"]


def test_an_identifier_is_trained_on_what_the_hub_has(client: Client, hub: HubServer) -> None:
    importing = client.datasets.from_hub("acme/books", "hub-books")
    ready = client.wait_for_dataset(importing, timeout_seconds=TIMEOUT_SECONDS)
    assert (ready["status"], ready["num_sources"]) == ("ready", NUM_SOURCES), ready
    assert (ready["origin"] or {})["hub"]["revision"] == COMMIT
    config = {"identifier": {"features": "lexical"}, "training": {"epochs": 2}}
    queued = client.experiments.create("train", "hub-books", config=config)
    trained = client.wait(queued["id"], timeout_seconds=TIMEOUT_SECONDS)
    assert trained["status"] == "succeeded", trained["error"]
    kinds = [row["kind"] for row in client.experiments.list(dataset="hub-books")["data"]]
    assert kinds == ["train", "ingest"]
