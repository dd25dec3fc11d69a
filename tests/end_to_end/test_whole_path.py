"""The whole path over HTTP on a real `sip serve`: corpus, experiment, metrics, distributions, embeddings."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from openai import OpenAI
from sentence_transformers import SentenceTransformer

from client import Client
from client.answers import Dataset, Experiment, Metric
from client.paging import iterate_pages
from sip_model.backbones.bundled import bundled_folder
from tests.cli.service import running_service
from tests.end_to_end.small_corpus import NUM_SOURCES, write_small_corpus

NUM_TEXTS = 256
MAX_POLLS = 60
TIMEOUT_SECONDS = 120.0


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_corpus(tmp_path_factory.mktemp("corpus") / "corpus.jsonl")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with (
        running_service(tmp_path_factory.mktemp("whole-path") / "data") as service,
        Client(service.url) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def dataset(client: Client, corpus: Path) -> Dataset:
    return client.datasets.upload(corpus, "small")


@pytest.fixture(scope="module")
def trained(client: Client, dataset: Dataset) -> tuple[Experiment, list[Metric]]:
    """A finished training, and its metrics as polling delivered them while it ran."""
    config = {"backbone": {"layers": "auto"}, "training": {"epochs": 3}}
    queued = client.experiments.create("train", dataset["name"], config=config, name="small", seed=1)
    rows: list[Metric] = []
    since: int | str = 0
    for _ in range(MAX_POLLS):
        page = client.metrics.poll(experiment=queued["id"], since=since, wait_seconds=5)
        rows, since = rows + page["data"], page["next_since"]
        experiment = client.experiments.get(queued["id"])
        if not page["data"] and experiment["status"] not in ("queued", "running"):
            return experiment, rows
    raise AssertionError(f"the training is still {experiment['status']} after {MAX_POLLS} polls")


@pytest.fixture(scope="module")
def texts(corpus: Path) -> list[str]:
    """Passages of 8 words, no two the same."""
    words = [word for line in corpus.read_text().splitlines() for word in json.loads(line)["text"].split()]
    step = len(words) // NUM_TEXTS
    return [f"{number} " + " ".join(words[number * step :][:8]) for number in range(NUM_TEXTS)]


def test_polling_delivers_every_metric_once_and_in_order(
    client: Client, trained: tuple[Experiment, list[Metric]]
) -> None:
    experiment, polled = trained
    assert experiment["status"] == "succeeded", experiment["error"]
    assert polled == list(client.metrics.iterate(experiment=experiment["id"]))
    losses = [row["step"] for row in polled if row["name"] == "train/loss"]
    assert losses == sorted(losses, key=lambda step: step or 0)
    assert {"eval/accuracy", "baseline/lexical_accuracy", "system/peak_memory_bytes"} <= {
        row["name"] for row in polled
    }
    accuracy = experiment["metrics"]["eval/accuracy"]
    assert accuracy is not None
    assert accuracy > 1 / NUM_SOURCES


def test_256_texts_get_distributions_that_sum_to_1_in_their_order(
    client: Client, trained: tuple[Experiment, list[Metric]], texts: list[str]
) -> None:
    results = client.classify(texts, model="small", top_k=3)["results"]
    assert [result["index"] for result in results] == list(range(NUM_TEXTS))
    for result in results:
        listed = sum(entry["probability"] for entry in result["distribution"])
        assert abs(listed + result["other"] + result["unknown"] - 1) <= 1e-6
    backwards = client.classify(texts[::-1], model="small", top_k=3)["results"][::-1]
    for result, again in zip(results, backwards, strict=True):
        assert [entry["source"] for entry in result["distribution"]] == [
            entry["source"] for entry in again["distribution"]
        ]
        assert result["unknown"] == pytest.approx(again["unknown"], abs=1e-4)


def test_a_bulk_classification_is_read_page_by_page(
    client: Client, trained: tuple[Experiment, list[Metric]], dataset: Dataset, tmp_path: Path
) -> None:
    config = {"classify": {"model": "small"}, "top_k": 2}
    queued = client.experiments.create("classify", dataset["name"], config=config)
    experiment = client.wait(queued["id"], timeout_seconds=TIMEOUT_SECONDS)
    assert experiment["status"] == "succeeded", experiment["error"]
    first = client.experiments.results(queued["id"], limit=20)
    assert len(first["data"]) == 20
    assert first["has_more"]
    rows = list(
        iterate_pages(lambda cursor: client.experiments.results(queued["id"], limit=20, cursor=cursor))
    )
    places = [(row["document"], row["start"]) for row in rows]
    assert len(set(places)) == len(places)
    assert len({row["document"] for row in rows}) == dataset["num_documents"]
    assert all(len(row["predicted"]) == 2 for row in rows)
    client.experiments.download_results(queued["id"], tmp_path / "results.csv", format="csv")
    assert (tmp_path / "results.csv").read_text().startswith("document,start,end,predicted,unknown")


def test_the_official_openai_client_gets_embeddings(client: Client, texts: list[str]) -> None:
    with OpenAI(base_url=f"{client.base_url}/v1", api_key="none") as openai:
        answer = openai.embeddings.create(model="minilm", input=texts[:4])
    ours = client.embed(texts[:4], backbone="minilm")["data"]
    assert [item.index for item in answer.data] == [0, 1, 2, 3]
    for item, vector in zip(answer.data, ours, strict=True):
        assert np.asarray(item.embedding) == pytest.approx(np.asarray(vector["embedding"]), abs=1e-4)


def test_embeddings_agree_with_sentence_transformers(client: Client, texts: list[str]) -> None:
    ours = np.array([item["embedding"] for item in client.embed(texts, backbone="minilm")["data"]])
    theirs = SentenceTransformer(str(bundled_folder("minilm")), device="cpu").encode(
        texts, normalize_embeddings=True, show_progress_bar=False
    )
    assert ours.shape == (NUM_TEXTS, 384)
    assert (ours * theirs).sum(1).min() >= 0.999
