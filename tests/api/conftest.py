"""The real application on the test servers, spoken to over ASGI."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from db.settings import Settings

BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A client of the application `create_app` makes; a failure of ours is a 500, as over the network."""
    with TestClient(create_app(settings), base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


def jsonl(*rows: dict[str, Any]) -> bytes:
    """A JSONL file of these rows."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


CORPUS = jsonl(
    {"text": "The sea was calm and the ship lay still.", "source": "sea", "document": "a"},
    {"text": "The sea rose and the ship sailed at dawn.", "source": "sea", "author": "Ann"},
    {"text": "A mountain path winds up into the snow.", "source": "mountain"},
)


def upload(
    client: TestClient, name: str = "tales", body: bytes = CORPUS, filename: str = "t.jsonl"
) -> dict[str, Any]:
    """Add a dataset and return its resource."""
    response = client.post("/datasets", data={"name": name}, files={"file": (filename, body)})
    assert response.status_code == 201, response.text
    resource: dict[str, Any] = response.json()
    return resource


def assert_problem(response: Any, status: int, loc: list[str | int] | None = None) -> dict[str, Any]:
    """Check that a response is a problem of this status (and at this field), and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == response.headers["x-request-id"]
    if loc is not None:
        assert loc in [error["loc"] for error in problem["errors"]], problem["errors"]
    return problem
