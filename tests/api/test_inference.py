"""`/classify`, `/embed` and `/v1/embeddings` with a model that was really trained."""

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from openai import DefaultHttpxClient, OpenAI, UnprocessableEntityError
from openai import NotFoundError as OpenAINotFoundError
from starlette.testclient import TestClient

from api.app import create_app
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from tests.api.conftest import assert_problem, upload
from tests.api.trained import SOURCES, SUBJECTS, TEXTS, publish_trained_model

SCRIPTS = [
    "Où est le port ?",
    "船は静かな海を渡った",
    "السفينة في البحر",
    "🚢🌊",
    "корабль",
    "long words " * 500,
    "x",
]


@pytest.fixture
def experiment(client: TestClient) -> str:
    """The experiment that models are published under."""
    upload(client)
    return str(client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"])


@pytest.fixture
def model(experiment: str, database: Database, store: ArtifactStore, tmp_path: Path) -> str:
    """A hybrid model, the default; returns its id."""
    return publish_trained_model(database, store, tmp_path, experiment)


def classify(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/classify", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def embed(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/embed", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_256_texts_get_distributions_that_sum_to_one_in_their_order(client: TestClient, model: str) -> None:
    texts = [TEXTS[number % len(TEXTS)] for number in range(249)] + SCRIPTS
    answer = classify(client, input=texts, top_k=2)
    assert answer["model"] == {"id": model, "name": "subjects-hybrid", "version": 1}
    assert [result["index"] for result in answer["results"]] == list(range(256))
    for result in answer["results"]:
        total = sum(source["probability"] for source in result["distribution"])
        assert total + result["other"] + result["unknown"] == pytest.approx(1, abs=1e-6)
        assert len(result["distribution"]) == 2
    best = [result["distribution"][0]["source"] for result in answer["results"][: len(TEXTS)]]
    assert np.mean([found == true for found, true in zip(best, SOURCES, strict=True)]) > 0.9
    assert not any(result["truncated"] for result in answer["results"])
    assert [n for n, result in enumerate(answer["results"]) if result["windows"]] == [254]
    assert answer["usage"]["texts"] == 256
    assert answer["usage"]["tokens"] > 256


def test_a_texts_answer_does_not_depend_on_the_others(client: TestClient, model: str) -> None:
    together = classify(client, input=[TEXTS[0], *SCRIPTS, *TEXTS])["results"][0]
    alone = classify(client, input=TEXTS[0])["results"][0]
    for one, other in zip(alone["distribution"], together["distribution"], strict=True):
        assert one["source"] == other["source"]
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-6)


def test_source_ids_lead_to_the_models_sources(client: TestClient, model: str) -> None:
    names = {row["source_id"]: row["name"] for row in client.get("/models/default/sources").json()["data"]}
    assert set(names.values()) == set(SUBJECTS)
    for source in classify(client, input="The ship sailed.")["results"][0]["distribution"]:
        assert names[source["source_id"]] == source["source"]


def test_a_prior_moves_probability_to_unknown(client: TestClient, model: str) -> None:
    unknown = [
        classify(client, input=TEXTS[0], unknown_prior=p)["results"][0]["unknown"] for p in (0, 0.05, 0.5, 1)
    ]
    assert unknown == sorted(unknown)
    assert (unknown[0], unknown[3]) == (0, 1)
    assert classify(client, input=TEXTS[0])["results"][0]["unknown"] == unknown[1]


def test_improbable_sources_are_left_to_other(client: TestClient, model: str) -> None:
    result = classify(client, input=TEXTS[0], min_probability=1)["results"][0]
    assert result["distribution"] == []
    assert result["other"] + result["unknown"] == pytest.approx(1, abs=1e-6)


def test_more_texts_than_the_service_takes_are_refused(client: TestClient, model: str) -> None:
    for path in ("/classify", "/embed", "/v1/embeddings"):
        body = {"input": ["x"] * 1025, "model": model}
        assert_problem(client.post(path, json=body), 422, ["body", "input"])


def test_unknown_models_and_fields_are_named(client: TestClient, model: str) -> None:
    assert_problem(client.post("/classify", json={"input": "x", "model": "nope"}), 404, ["body", "model"])
    assert_problem(client.post("/embed", json={"input": "x", "model": "nope"}), 404, ["body", "model"])
    for field in ("level", "explain"):
        assert_problem(client.post("/classify", json={"input": "x", field: 1}), 422, ["body", field])


def test_the_default_is_loaded_before_it_is_the_default(
    client: TestClient, model: str, experiment: str, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    other = publish_trained_model(database, store, tmp_path, experiment, "lexical")
    assert classify(client, input="x")["model"]["id"] == model
    response = client.post("/models/subjects-lexical/default")
    assert (response.status_code, response.json()["is_default"]) == (200, True)
    assert classify(client, input="x")["model"]["id"] == other
    assert_problem(client.post("/embed", json={"input": "x", "model": other}), 422, ["body", "model"])
    assert client.delete(f"/models/{model}").status_code == 204
    assert_problem(client.post("/classify", json={"input": "x", "model": model}), 404)


def test_a_damaged_default_model_makes_the_service_not_ready(
    client: TestClient, model: str, settings: Settings
) -> None:
    (path,) = settings.data_dir.rglob(f"{model}/identifier.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    assert_problem(client.post("/classify", json={"input": "x"}), 503)
    assert_problem(client.post(f"/models/{model}/default"), 503)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as fresh:
        deadline = time.monotonic() + 30
        while fresh.get("/health/ready").json()["checks"]["default_model"]["status"] == "degraded":
            assert time.monotonic() < deadline, "the default model is neither loaded nor refused"
        ready = fresh.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["default_model"]["status"]) == (503, "down")


def test_a_models_vectors_come_from_its_backbone_and_layer(client: TestClient, model: str) -> None:
    default, named = embed(client, input=TEXTS[:3]), embed(client, input=TEXTS[:3], backbone="minilm")
    assert default["model"] == named["model"] == "minilm"
    assert default["dimensions"] == len(default["data"][0]["embedding"]) == 384
    a, b = (np.array([row["embedding"] for row in answer["data"]]) for answer in (default, named))
    assert np.linalg.norm(a, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert (a * b).sum(axis=1).min() > 0.999
    lower = embed(client, input=TEXTS[:3], layer=2)["data"][0]["embedding"]
    assert abs(np.dot(lower, a[0])) < 0.99


def test_vectors_are_cut_and_scaled_as_asked(client: TestClient) -> None:
    full = embed(client, input="x", normalize=False)["data"][0]["embedding"]
    cut = embed(client, input="x", dimensions=10)
    assert cut["dimensions"] == 10
    head = np.array(full[:10])
    assert cut["data"][0]["embedding"] == pytest.approx(head / np.linalg.norm(head), abs=1e-5)


def test_what_a_backbone_cannot_do_names_the_field(client: TestClient) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"backbone": "minilm", "layer": 7}, "layer"),
        ({"backbone": "minilm", "pooling": "last"}, "pooling"),
        ({"backbone": "someone/else"}, "backbone"),
        ({"backbone": "../../etc/passwd"}, "backbone"),
        ({"backbone": "x" * 300}, "backbone"),
        ({"backbone": "minilm", "dimensions": 385}, "dimensions"),
        ({"backbone": "minilm", "model": "default"}, "backbone"),
        ({"backbone": "minilm", "layer": -1}, "layer"),
    ]
    for fields, field in cases:
        assert_problem(client.post("/embed", json={"input": "x", **fields}), 422, ["body", field])
    assert_problem(
        client.post("/v1/embeddings", json={"input": "x", "model": "no/such"}), 422, ["body", "model"]
    )


def test_minilm_agrees_with_sentence_transformers(client: TestClient) -> None:
    from sentence_transformers import SentenceTransformer

    from sip_model.backbones.bundled import verify_bundled

    texts = [*TEXTS[:20], *SCRIPTS[:5]]
    ours = np.array([row["embedding"] for row in embed(client, input=texts, backbone="minilm")["data"]])
    theirs = SentenceTransformer(str(verify_bundled("minilm")), device="cpu").encode(
        texts, normalize_embeddings=True
    )
    assert (ours * theirs).sum(axis=1).min() >= 0.999


@pytest.fixture
def service_url(settings: Settings, model: str) -> Iterator[str]:
    """The application behind a real server on a port of its own."""
    config = uvicorn.Config(create_app(settings), port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def test_the_openai_client_works_unchanged(service_url: str) -> None:
    with (
        DefaultHttpxClient(trust_env=False) as http,
        OpenAI(base_url=f"{service_url}/v1", api_key="none", http_client=http, max_retries=0) as openai,
    ):
        as_base64 = openai.embeddings.create(model="default", input=TEXTS[:2])
        as_float = openai.embeddings.create(model="minilm", input=TEXTS[:2], encoding_format="float")
        for one, other in zip(as_base64.data, as_float.data, strict=True):
            assert len(one.embedding) == 384
            assert np.dot(one.embedding, other.embedding) > 0.999
        assert as_float.usage.total_tokens > 2
        assert len(openai.embeddings.create(model="minilm", input="x", dimensions=8).data[0].embedding) == 8
        assert "minilm" in [listed.id for listed in openai.models.list()]
        with pytest.raises(UnprocessableEntityError, match=r"body\.model"):
            openai.embeddings.create(model="no-such", input="x")
        with pytest.raises(OpenAINotFoundError):
            openai.models.retrieve("no-such")


def test_the_examples_of_the_document_really_work(client: TestClient, model: str) -> None:
    upload(client, "python-docs")
    openapi = client.get("/openapi.json").json()
    tried = []
    for path, operations in openapi["paths"].items():
        reference = operations.get("post", {}).get("requestBody", {}).get("content", {})
        schema = reference.get("application/json", {}).get("schema", {}).get("$ref", "")
        for example in (
            openapi["components"]["schemas"].get(schema.rpartition("/")[2], {}).get("examples", [])
        ):
            response = client.post(path, json=example)
            assert response.is_success, (path, response.text)
            tried.append(path)
    assert tried == ["/classify", "/embed", "/v1/embeddings", "/experiments"]


def test_base64_is_little_endian_float32(client: TestClient) -> None:
    body = {"input": "x", "model": "minilm"}
    coded = client.post("/v1/embeddings", json={**body, "encoding_format": "base64"}).json()
    plain = client.post("/v1/embeddings", json=body).json()
    vector = np.frombuffer(base64.b64decode(coded["data"][0]["embedding"]), "<f4")
    assert vector == pytest.approx(plain["data"][0]["embedding"], abs=1e-6)
