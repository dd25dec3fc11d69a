"""`Idempotency-Key` on what makes something; that it holds is promise 11's test."""

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import assert_problem, upload

TRAIN = {"kind": "train", "dataset": "tales", "config": {"identifier": {"features": "lexical"}}}


@pytest.mark.parametrize("key", [b"", b"a b", b"x" * 256, "ü".encode(), b"tab\there"])
def test_a_key_is_1_to_255_visible_characters(key: bytes, client: TestClient) -> None:
    for path in ("/experiments", "/datasets"):
        response = client.post(path, json=TRAIN, headers=[(b"Idempotency-Key", key)])
        problem = assert_problem(response, 422)
        assert [entry["loc"] for entry in problem["errors"]] == [["header", "Idempotency-Key"]]


def test_a_key_may_be_as_long_as_it_may_be(client: TestClient) -> None:
    upload(client)
    response = client.post("/experiments", json=TRAIN, headers={"Idempotency-Key": "~" * 255})
    assert response.status_code == 202


def test_a_key_whose_experiment_was_deleted_says_so(client: TestClient) -> None:
    upload(client)
    key = {"Idempotency-Key": "k"}
    made = client.post("/experiments", json=TRAIN, headers=key).json()["id"]
    client.post(f"/experiments/{made}/cancel")
    assert client.post("/experiments", json=TRAIN, headers=key).json()["status"] == "cancelled"
    assert client.delete(f"/experiments/{made}").status_code == 204
    problem = assert_problem(client.post("/experiments", json=TRAIN, headers=key), 409)
    assert "was deleted. Send a new key" in problem["detail"]


def test_a_request_that_is_refused_uses_up_no_key(client: TestClient) -> None:
    key = {"Idempotency-Key": "k"}
    assert_problem(client.post("/experiments", json=TRAIN, headers=key), 404)
    upload(client)
    response = client.post("/experiments", json=TRAIN, headers=key)
    assert response.status_code == 202
    assert "idempotent-replayed" not in response.headers


def test_a_builtin_corpus_asked_for_again_is_the_same(client: TestClient) -> None:
    body = {"name": "docs", "from": {"builtin": "python-docs"}}
    answers = [client.post("/datasets", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotent-replayed"] == "true"


def test_the_document_declares_the_key_and_what_comes_back(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path, statuses in {"/experiments": ("202",), "/datasets": ("201", "202")}.items():
        operation = paths[path]["post"]
        assert ("header", "Idempotency-Key") in [(p["in"], p["name"]) for p in operation["parameters"]]
        assert {"409", "422"} <= set(operation["responses"])
        for status in statuses:
            assert {"Location", "Idempotent-Replayed"} <= set(operation["responses"][status]["headers"])
