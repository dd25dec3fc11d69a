"""How requests share the engine: what is refused, what is dropped, and how answers are written."""

import base64
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import orjson
import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel
from starlette.testclient import TestClient

from api.app import create_app
from api.schemas.classify import ClassifyResponse
from api.schemas.embed import EmbedResponse, OpenAIEmbeddingsResponse
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from sip_model.backbones.dtypes import resolve_dtype
from sip_model.backbones.extract import PassKind
from sip_model.backbones.extraction import FloatArray, IntArray
from tests.api.conftest import BASE_URL, assert_problem, upload
from tests.api.trained import TEXTS, publish_trained_model

WAIT_SECONDS = 60
LONG = "The ship was older than anyone remembered. " * 60
TOLERANCE = 1e-5 if resolve_dtype("auto", "cpu") == "float32" else 5e-3
"""Of an element of a unit vector; a vector of another text is ten times as far away and more."""


class Gate:
    """Holds every pass until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)
        self.num_texts = 0


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Stands before every pass."""
    gate, read_texts = Gate(), PassKind.read_texts

    def wait(kind: PassKind, texts: Sequence[IntArray], length: int) -> FloatArray:
        gate.num_texts += len(texts)
        gate.entered.release()
        assert gate.opened.wait(WAIT_SECONDS)
        return read_texts(kind, texts, length)

    monkeypatch.setattr(PassKind, "read_texts", wait)
    yield gate
    gate.opened.set()


def inference(text: str) -> dict[str, float]:
    """The samples of inference in an exposition, by name or by reason."""
    return {
        sample.labels.get("reason", sample.name): sample.value
        for family in text_string_to_metric_families(text)
        if family.name.startswith("sip_inference")
        for sample in family.samples
    }


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what the service is about to do."""
    ticks = threading.Event()
    for _ in range(WAIT_SECONDS * 100):
        if is_so():
            return
        ticks.wait(0.01)
    raise AssertionError("it didn't happen")


@pytest.fixture
def small_queue_url(settings: Settings) -> Iterator[str]:
    """A real server whose queue has room for 600 tokens."""
    app = create_app(settings.model_copy(update={"max_waiting_tokens": 600}))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def test_what_the_queue_has_no_room_for_is_told_when_to_come_back(small_queue_url: str, gate: Gate) -> None:
    with httpx.Client(base_url=small_queue_url, timeout=WAIT_SECONDS) as http, ThreadPoolExecutor() as pool:
        first = pool.submit(http.post, "/embed", json={"input": ["word " * 200] * 2, "backbone": "minilm"})
        assert gate.entered.acquire(timeout=WAIT_SECONDS)
        found = inference(http.get("/prometheus").text)
        assert found["sip_inference_requests"] == 1
        assert 400 <= found["sip_inference_waiting_tokens"] <= 410
        for path, body in (("/embed", {"backbone": "minilm"}), ("/v1/embeddings", {"model": "minilm"})):
            refused = http.post(path, json={"input": "word " * 250, **body})
            assert_problem(refused, 429)
            assert int(refused.headers["retry-after"]) >= 1
        small = pool.submit(http.post, "/embed", json={"input": "a word", "backbone": "minilm"})
        until(lambda: inference(http.get("/prometheus").text)["sip_inference_requests"] == 2)
        gate.opened.set()
        assert first.result(WAIT_SECONDS).status_code == small.result(WAIT_SECONDS).status_code == 200
        found = inference(http.get("/prometheus").text)
        assert (found["full"], found["late"], found["gone"]) == (2, 0, 0)
        assert found["sip_inference_pass_texts_sum"] == 3
        assert found["sip_inference_waiting_tokens"] == found["sip_inference_requests"] == 0
        assert found["sip_inference_tokens_per_second"] > 0


def test_what_a_client_that_has_gone_asked_for_is_not_read(small_queue_url: str, gate: Gate) -> None:
    address = urlsplit(small_queue_url)
    assert address.hostname is not None
    body = orjson.dumps({"input": ["a few words"] * 5, "backbone": "minilm"})
    head = f"POST /embed HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    with (
        httpx.Client(base_url=small_queue_url, timeout=WAIT_SECONDS) as http,
        ThreadPoolExecutor() as pool,
    ):
        staying = [
            pool.submit(http.post, "/embed", json={"input": "word " * number, "backbone": "minilm"})
            for number in (20, 40)
        ]
        assert gate.entered.acquire(timeout=WAIT_SECONDS)
        with socket.create_connection((address.hostname, address.port or 0)) as leaving:
            leaving.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            until(lambda: inference(http.get("/prometheus").text)["sip_inference_requests"] == 3)
        until(lambda: inference(http.get("/prometheus").text)["gone"] == 1)
        gate.opened.set()
        assert [each.result(WAIT_SECONDS).status_code for each in staying] == [200, 200]
    # of the five texts none, or, if a core was free, those that were being read when the client left
    assert gate.num_texts in (2, 7)


@pytest.fixture
def model(client: TestClient, database: Database, store: ArtifactStore, tmp_path: Path) -> str:
    """A hybrid model that tells of spans, the default; returns its id."""
    upload(client)
    experiment = str(client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"])
    return publish_trained_model(database, store, tmp_path, experiment, makes_spans=True)


def test_answers_have_the_fields_of_their_schema_and_no_others(client: TestClient, model: str) -> None:
    cases: list[tuple[str, dict[str, Any], type[BaseModel]]] = [
        ("/classify", {}, ClassifyResponse),
        ("/classify", {"evidence": 3, "coverage": 0.9}, ClassifyResponse),
        ("/classify", {"level": "token", "explain": True, "top_k": 2}, ClassifyResponse),
        ("/embed", {}, EmbedResponse),
        ("/embed", {"encoding_format": "base64", "dimensions": 5}, EmbedResponse),
        ("/v1/embeddings", {"model": "minilm"}, OpenAIEmbeddingsResponse),
        ("/v1/embeddings", {"model": "minilm", "encoding_format": "base64"}, OpenAIEmbeddingsResponse),
    ]
    paths = client.get("/openapi.json").json()["paths"]
    for path, body, schema in cases:
        answer = client.post(path, json={"input": [TEXTS[0], LONG], **body})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert schema.model_validate_json(answer.content).model_dump(mode="json") == answer.json()
        reference = paths[path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert reference["$ref"].endswith(f"/{schema.__name__}")


def test_embeddings_in_base64_are_those_in_numbers(client: TestClient) -> None:
    body = {"input": TEXTS[:2], "backbone": "minilm"}
    coded = client.post("/embed", json={**body, "encoding_format": "base64"}).json()
    plain = client.post("/embed", json=body).json()
    for one, other in zip(coded["data"], plain["data"], strict=True):
        vector = np.frombuffer(base64.b64decode(one["embedding"]), "<f4")
        np.testing.assert_allclose(vector, other["embedding"], atol=1e-6)


def test_many_clients_get_what_each_would_get_alone(client: TestClient, settings: Settings) -> None:
    def ask(text: str) -> list[float]:
        answer = client.post("/embed", json={"input": text, "backbone": "minilm"})
        vector: list[float] = answer.json()["data"][0]["embedding"]
        return vector

    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(ask, TEXTS))
    with TestClient(create_app(settings), base_url=BASE_URL) as fresh:
        for text, vector in zip(TEXTS[::7], together[::7], strict=True):
            alone = fresh.post("/embed", json={"input": text, "backbone": "minilm"}).json()
            # bfloat16, where the CPU has it, rounds products of few rows otherwise than those of many
            np.testing.assert_allclose(alone["data"][0]["embedding"], vector, atol=TOLERANCE)


def test_the_default_is_swapped_under_load_without_a_lost_or_mixed_answer(
    client: TestClient, model: str, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    experiment = client.get("/experiments").json()["data"][0]["id"]
    other = publish_trained_model(database, store, tmp_path, experiment, "lexical")
    expected = {
        name: client.post("/classify", json={"input": TEXTS[:3], "model": name}).json()["results"]
        for name in (model, other)
    }
    assert expected[model] != expected[other]
    stopping = threading.Event()

    def ask() -> list[str]:
        seen = []
        while not stopping.is_set():
            answer = client.post("/classify", json={"input": TEXTS[:3]})
            assert answer.status_code == 200, answer.text
            found = answer.json()
            seen.append(found["model"]["id"])
            for one, two in zip(found["results"], expected[seen[-1]], strict=True):
                assert one["unknown"] == pytest.approx(two["unknown"], abs=1e-6)
                assert one["distribution"][0]["source"] == two["distribution"][0]["source"]
                assert one["distribution"][0]["score"] == pytest.approx(
                    two["distribution"][0]["score"], abs=1e-6
                )
        return seen

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for number in range(20):
                chosen = (other, model)[number % 2]
                assert client.post(f"/models/{chosen}/default").status_code == 200
                assert client.post("/classify", json={"input": "x"}).json()["model"]["id"] == chosen
        finally:
            stopping.set()
        seen = [name for each in asking for name in each.result(WAIT_SECONDS)]
    assert set(seen) == {model, other}
