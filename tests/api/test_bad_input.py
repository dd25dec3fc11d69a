"""No input makes a 5xx, whatever it is; and no answer repeats what was sent."""

from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import assert_problem, upload

MARK = "do-not-repeat-me"
JSON_TYPE = {"content-type": "application/json"}
POSTS = ("/experiments", "/datasets", "/classify", "/embed", "/v1/embeddings")

MALFORMED = {
    "NaN": b'{"input": NaN}',
    "Infinity": b'{"input": [1, -Infinity]}',
    "a number beyond floats": b'{"seed": 1e999}',
    "a lone surrogate": b'{"input": "\\ud800", "kind": "\\udfff"}',
    "a lone surrogate as key": b'{"\\ud800": 1}',
    "bytes that are no UTF-8": b'{"input": "\xff\xfe"}',
    "deep arrays": b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"config": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
    "cut short": b'{"input": "abc',
    "nothing": b"{",
    "a comment": b'{"a": 1} // ' + MARK.encode(),
}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("case", MALFORMED)
def test_a_body_that_is_no_json_is_malformed(case: str, path: str, client: TestClient) -> None:
    response = client.post(path, content=MALFORMED[case], headers=JSON_TYPE)
    assert_problem(response, 400)
    assert MARK not in response.text


WRONG: dict[str, Any] = {
    "an empty object": {},
    "an array": [MARK],
    "a string": MARK,
    "a number": 5,
    "null": None,
    "wrong types": {
        "kind": 1,
        "dataset": {"a": MARK},
        "name": [MARK],
        "config": MARK,
        "input": 5,
        "model": 2.5,
    },
    "an integer beyond 64 bits": {"kind": "train", "dataset": "x", "seed": 2**63, "input": 2**64 - 1},
    "an unknown key": {
        "kind": "train",
        "dataset": "x",
        "input": "x",
        "model": "x",
        "name": "x",
        MARK + "x": 1,
    },
    "a NUL in names": {"kind": "tr\0", "dataset": "x\0", "name": "\0", "input": "\0", "model": "\0"},
    "a 10 MB string": {
        "kind": "x" * 10**7,
        "dataset": "x",
        "name": "x" * 10**7,
        "input": "x" * 10**7,
        "model": "m",
    },
    "nested too deep for a value": {"kind": "train", "dataset": "x", "config": {}, "input": {}, "name": "x"},
    "100,000 unknown keys": {f"key{number}": number for number in range(100_000)},
    "100,000 wrong items": {"input": [5] * 100_000, "model": "minilm"},
    "an empty text": {"input": "", "model": "minilm"},
    "blank texts": {"input": ["a text", " \n\t\u3000"], "model": "minilm"},
    "no texts": {"input": [], "model": "minilm"},
    "token numbers": {"input": [[1, 2, 3]], "model": "minilm"},
    "booleans": {"input": True, "model": False, "kind": True, "dataset": False, "seed": True},
}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("case", WRONG)
def test_a_body_of_the_wrong_shape_is_invalid(case: str, path: str, client: TestClient) -> None:
    response = client.post(path, content=orjson.dumps(WRONG[case]), headers=JSON_TYPE)
    problem = assert_problem(response, response.status_code)
    assert response.status_code in (404, 422), response.text
    assert len(response.content) < 20_000
    assert all(error["loc"][0] == "body" for error in problem["errors"])
    assert '"' + MARK not in response.text.replace(MARK + "x", "")


def test_a_config_of_any_depth_is_refused(client: TestClient) -> None:
    upload(client)
    for depth in (100, 200, 250, 300, 500, 900):
        config = b'{"a":' * depth + b"1" + b"}" * depth
        body = b'{"kind": "train", "dataset": "tales", "config": ' + config + b"}"
        assert_problem(client.post("/experiments", content=body, headers=JSON_TYPE), 422)


def test_a_config_of_any_size_is_refused(client: TestClient) -> None:
    upload(client)
    for config in ({"backbone": {"layers": [""] * 100_000}}, {f"k{n}": n for n in range(100_000)}):
        body = {"kind": "train", "dataset": "tales", "config": config}
        assert_problem(client.post("/experiments", json=body), 422, ["body", "config"])


@pytest.mark.parametrize("path", POSTS)
def test_another_content_type_is_refused(path: str, client: TestClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonl", "nonsense"):
        response = client.post(path, content=b'{"input": "x"}', headers={"content-type": kind})
        assert_problem(response, 415)
    assert_problem(client.post(path, content=b'{"input": "x"}'), 415)


PATHS = (
    "/datasets/{}",
    "/datasets/{}/sources",
    "/experiments/{}",
    "/experiments/{}/results",
    "/experiments/{}/artifacts/x",
    "/experiments/exp_x/artifacts/{}",
    "/models/{}",
    "/models/{}/sources",
    "/models/{}/download",
    "/backbones/{}",
    "/problems/{}",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_strange_path_finds_nothing(path: str, client: TestClient) -> None:
    strange = (
        "%00",
        "a%00b",
        "%ff%fe",
        "%ED%A0%80",
        "..%2f..%2fetc",
        "x" * 5000,
        "'; drop table",
        "a@9" + "9" * 300,
    )
    for part in strange:
        response = client.get(path.format(part))
        assert response.status_code in (404, 422), (part, response.text)
        assert_problem(response, response.status_code)


QUERIES = (
    "/datasets?limit={}",
    "/datasets?cursor={}",
    "/datasets?order={}",
    "/experiments?name={}&limit=x",
    "/experiments?cursor={}",
    "/models?cursor={}",
    "/backbones?cursor={}",
    "/metrics?since={}",
    "/metrics?limit={}",
    "/metrics?wait={}",
    "/metrics?layer={}",
    "/metrics?seed={}",
    "/metrics?latest={}",
    "/metrics?format={}",
)


@pytest.mark.parametrize("query", QUERIES)
def test_a_strange_query_is_invalid(query: str, client: TestClient) -> None:
    for value in (
        "%00",
        "NaN",
        "Infinity",
        "-1",
        "1e400",
        "%ff",
        "99999999999999999999999",
        "a\u00e9",
        "%ED%A0%80",
    ):
        assert_problem(client.get(query.format(value)), 422)


def test_a_strange_filter_matches_nothing(client: TestClient) -> None:
    for name in ("experiment", "name", "split", "backbone", "dataset", "parent"):
        for value in ("%25", "_", "\\\\", "nope", "%ff", "'"):
            assert client.get(f"/metrics?{name}={value}").json()["data"] == []
        assert_problem(client.get(f"/metrics?{name}=%00"), 422)


def test_methods_and_paths_there_are_not(client: TestClient) -> None:
    assert_problem(client.get("/nowhere"), 404)
    response = client.put("/datasets")
    assert_problem(response, 405)
    assert "allow" in response.headers


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(client: TestClient) -> None:
    body = b'{"input": "' + b"x" * (33 * 1024**2) + b'"}'
    assert_problem(client.post("/classify", content=body, headers=JSON_TYPE), 413)
    blocks = iter([body[:1000], body[1000:]])
    assert_problem(client.post("/classify", content=blocks, headers=JSON_TYPE), 413)
