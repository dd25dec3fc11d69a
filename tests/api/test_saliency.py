"""`explain` in `POST /classify`, with models that were really trained."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from db.session import Database
from db.storage import ArtifactStore
from tests.api.conftest import assert_problem, upload
from tests.api.trained import SOURCES, SUBJECTS, TEXTS, Features, publish_trained_model

LEARNED = [number for number in range(len(TEXTS)) if number % 5 < 3]


@pytest.fixture
def experiment(client: TestClient) -> str:
    """The experiment that models are published under."""
    upload(client)
    return str(client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"])


def explained(client: TestClient, texts: list[str]) -> list[dict[str, Any]]:
    response = client.post("/classify", json={"input": texts, "explain": True})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_the_word_that_tells_the_source_weighs_most(
    client: TestClient, experiment: str, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    publish_trained_model(database, store, tmp_path, experiment)
    texts = [TEXTS[number] for number in LEARNED]
    hits = 0
    for number, text, result in zip(LEARNED, texts, explained(client, texts[:32]), strict=False):
        tokens = result["saliency"]
        assert "".join(token["text"] for token in tokens) == text.replace(" ", "")
        assert all(text[token["start"] : token["end"]] == token["text"] for token in tokens)
        assert all({"weight", "gradient", "channels"} <= token.keys() for token in tokens)
        best = max(tokens, key=lambda token: float(token["weight"]))
        hits += best["text"] in SUBJECTS[SOURCES[number]]
    assert hits >= 24  # of 32; a random token would be it in 4
    plain = client.post("/classify", json={"input": texts[0]}).json()
    assert "saliency" not in plain["results"][0]
    limits: list[tuple[Any, str]] = [(["x"] * 33, "at most 32 texts"), ("word " * 2001, "at most 10000")]
    for body, expected in limits:
        response = client.post("/classify", json={"input": body, "explain": True})
        problem = assert_problem(response, 422, ["body", "input"])
        assert expected in problem["errors"][0]["msg"]


@pytest.mark.parametrize(("features", "there"), [("lexical", set()), ("tuned", {"gradient"})])
def test_what_a_model_does_not_know_is_left_out(
    client: TestClient,
    experiment: str,
    database: Database,
    store: ArtifactStore,
    tmp_path: Path,
    features: Features,
    there: set[str],
) -> None:
    publish_trained_model(database, store, tmp_path, experiment, features)
    (result,) = explained(client, [TEXTS[0]])
    for token in result["saliency"]:
        assert token.keys() == {"text", "start", "end", "weight"} | there
