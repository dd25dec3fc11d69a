"""`level: token` of `POST /classify`, with a model that was really trained."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from db.session import Database
from db.storage import ArtifactStore
from tests.api.conftest import assert_problem, upload
from tests.api.trained import SUBJECTS, TEXTS, publish_trained_model

SEA = " ".join(TEXTS[number] for number in (0, 6, 12, 15))
KITCHEN = " ".join(TEXTS[number] for number in (40, 46, 52, 55))
STITCHED = f"{SEA} {KITCHEN}"


@pytest.fixture
def experiment(client: TestClient) -> str:
    """The experiment that models are published under."""
    upload(client)
    return str(client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"])


def paint(client: TestClient, *texts: str, **body: Any) -> list[dict[str, Any]]:
    response = client.post("/classify", json={"input": list(texts), "level": "token", **body})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


@pytest.mark.parametrize("features", ["hybrid", "lexical"])
def test_a_text_stitched_from_two_sources_shows_two_spans(
    client: TestClient,
    experiment: str,
    database: Database,
    store: ArtifactStore,
    tmp_path: Path,
    features: Any,
) -> None:
    publish_trained_model(database, store, tmp_path, experiment, features, makes_spans=True)
    result, whole = paint(client, STITCHED, SEA, unknown_prior=0)
    first, second = result["spans"]
    assert (first["source"], second["source"]) == ("sea", "kitchen")
    assert [list(SUBJECTS)[span["source_id"]] for span in (first, second)] == ["sea", "kitchen"]
    assert STITCHED[first["start"] : first["end"]] == SEA
    assert STITCHED[second["start"] : second["end"]] == KITCHEN
    assert all(0.5 < span["probability"] <= 1 for span in (first, second))
    assert [span["source"] for span in whole["spans"]] == ["sea"]

    tokens = result["tokens"]
    assert all(STITCHED[token["start"] : token["end"]] == token["text"] for token in tokens)
    assert "".join(token["text"] for token in tokens) == "".join(STITCHED.split())
    assert all(one["end"] <= other["start"] for one, other in pairwise(tokens))
    for token in tokens:
        span = first if token["start"] < len(SEA) else second
        assert token["source"] == span["source"]
        assert 0 <= token["probability"] <= span["probability"]

    (alone,) = paint(client, STITCHED, unknown_prior=0)
    assert [(span["start"], span["source"]) for span in alone["spans"]] == [
        (span["start"], span["source"]) for span in result["spans"]
    ]


def test_a_stretch_of_no_known_source_is_said_to_be_of_none(
    client: TestClient, experiment: str, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    publish_trained_model(database, store, tmp_path, experiment, "lexical", makes_spans=True)
    (result,) = paint(client, "zqx vrr wkk jjp. " * 8)
    (span,) = result["spans"]
    assert (span["source"], span["source_id"]) == (None, None)
    assert span["probability"] == pytest.approx(result["unknown"])
    assert {token["source"] for token in result["tokens"]} == {None}


def test_spans_are_there_only_where_asked_for(
    client: TestClient, experiment: str, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    publish_trained_model(database, store, tmp_path, experiment, "lexical")
    (result,) = client.post("/classify", json={"input": SEA}).json()["results"]
    assert not {"spans", "tokens", "evidence", "conformal_set"} & set(result)
    problem = assert_problem(
        client.post("/classify", json={"input": SEA, "level": "token"}), 422, ["body", "level"]
    )
    assert "tells of no spans" in problem["errors"][0]["msg"]
    assert_problem(client.post("/classify", json={"input": SEA, "level": "word"}), 422, ["body", "level"])
    long = {"input": ["word " * 11_000] * 2, "level": "token"}
    problem = assert_problem(client.post("/classify", json=long), 422, ["body", "input"])
    assert "100000 characters" in problem["errors"][0]["msg"]
