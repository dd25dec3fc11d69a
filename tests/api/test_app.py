"""What holds for every route: request ids, Host and Origin, problem pages, the OpenAPI document."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.errors import PROBLEMS
from api.loopback import is_loopback
from db.settings import Settings
from tests.api.conftest import assert_problem


def test_a_request_id_is_taken_or_made_and_sent_back(client: TestClient) -> None:
    assert client.get("/health/live", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    made = client.get("/health/live").headers["x-request-id"]
    assert made.startswith("req_")
    assert client.get("/health/live", headers={"X-Request-ID": "a b"}).headers["x-request-id"] != "a b"
    problem = assert_problem(client.get("/nope", headers={"X-Request-ID": "mine-2"}), 404)
    assert problem["instance"] == "mine-2"


@pytest.mark.parametrize(
    "header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Host": ""}]
)
def test_on_loopback_another_host_or_origin_is_refused(header: dict[str, str], client: TestClient) -> None:
    assert_problem(client.get("/health/live", headers=header), 403)


@pytest.mark.parametrize(
    "header", [{"Host": "localhost:8000"}, {"Host": "[::1]:1"}, {"Origin": "http://localhost:3000"}]
)
def test_on_loopback_this_machine_is_answered(header: dict[str, str], client: TestClient) -> None:
    assert client.get("/health/live", headers=header).status_code == 200


def test_off_loopback_any_host_is_answered(settings: Settings) -> None:
    open_settings = settings.model_copy(update={"host": "0.0.0.0", "allow_anyone": True})
    with TestClient(create_app(open_settings), base_url="http://sip.example") as client:
        assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "a.localhost"])
def test_names_of_this_machine_are_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "example.org", "127.0.0.1.example.org", "localhost.org"]
)
def test_other_names_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_every_problem_type_has_its_page(client: TestClient) -> None:
    for slug, problem in PROBLEMS.items():
        page = client.get(f"/problems/{slug}")
        assert page.status_code == 200
        assert problem.title in page.text


def document(client: TestClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/openapi.json").json()
    return answer


def test_every_field_and_parameter_is_described(client: TestClient) -> None:
    openapi = document(client)
    schemas = openapi["components"]["schemas"]

    def is_described(field: dict[str, Any]) -> bool:
        # a block of its own is described where it is defined
        block = schemas.get(field.get("$ref", "").rpartition("/")[2], {})
        return "description" in field or "description" in block

    undescribed = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if not is_described(described)
    ]
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            undescribed += [
                f"{method} {path}: {parameter['name']}"
                for parameter in operation.get("parameters", [])
                if "description" not in parameter
            ]
    assert undescribed == []


def test_every_error_is_declared_as_a_problem(client: TestClient) -> None:
    openapi = document(client)
    assert "HTTPValidationError" not in openapi["components"]["schemas"]
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            errors = {status: r for status, r in operation["responses"].items() if int(status) >= 400}
            assert {"403", "500", "503"} <= set(errors), (method, path)
            for status, response in errors.items():
                if (path, status) != ("/health/ready", "503"):
                    assert list(response["content"]) == ["application/problem+json"], (method, path, status)
            if "requestBody" in operation:
                assert {"400", "413", "415", "422"} <= set(errors), (method, path)


def test_every_type_of_file_that_experiments_leave_is_declared(client: TestClient) -> None:
    root = Path(__file__).parents[2]
    sources = [path for folder in ("worker", "sip_model/figures") for path in (root / folder).rglob("*.py")]
    left = {
        found.partition(";")[0]
        for path in sources
        for found in re.findall(
            r'"((?:application|image|text)/[\w.+-]+)[;"]', path.read_text(encoding="utf-8")
        )
    }
    assert {"application/json", "image/svg+xml", "text/csv"} <= left
    operation = document(client)["paths"]["/experiments/{experiment}/artifacts/{name}"]["get"]
    assert left == set(operation["responses"]["200"]["content"])


def test_what_is_no_request_is_declared_for_every_operation(client: TestClient) -> None:
    for operations in document(client)["paths"].values():
        assert all({"400", "431"} <= set(operation["responses"]) for operation in operations.values())


def test_every_reference_in_the_document_leads_somewhere(client: TestClient) -> None:
    openapi = document(client)

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        if isinstance(node, list):
            return [found for value in node for found in references(value)]
        return []

    names = {reference.removeprefix("#/components/schemas/") for reference in references(openapi)}
    assert names <= set(openapi["components"]["schemas"])
