"""The pages as files: what is served, how, and that it can be switched off."""

import re
from pathlib import Path

from starlette.testclient import TestClient

from api.app import create_app
from api.routes.pages import CONTENT_SECURITY_POLICY
from db.settings import Settings
from tests.api.conftest import BASE_URL, assert_problem

WEB = Path(__file__).parents[2] / "web"


def test_the_document_runs_nothing_inline_and_names_only_files_that_are_served(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert not re.search(r"<style|<script[^>]*>[^<]|\son\w+=|style=", answer.text)
    named = re.findall(r'(?:src|href)="(/[^"]+)"', answer.text)
    assert named
    assert [path for path in named if client.get(path).status_code != 200] == []


def test_every_module_is_served_and_imports_only_modules_that_are_there(client: TestClient) -> None:
    for module in (WEB / "js").glob("*.js"):
        answer = client.get(f"/web/js/{module.name}")
        assert answer.headers["content-type"].startswith("text/javascript")
        imported = re.findall(r'(?:from|import\()\s*"(\./[^"]+)"', answer.text)
        assert [name for name in imported if not (WEB / "js" / name).is_file()] == []
        for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert forbidden not in answer.text, module.name


def test_a_copy_that_still_holds_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/web/js/main.js")
    again = client.get("/web/js/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == again.headers["cache-control"] == "no-cache"


def test_nothing_else_is_served(client: TestClient) -> None:
    for path in ("__init__.py", "nothing.js", "..%2Fapi%2Fapp.py", "js/../../pyproject.toml", "js", ""):
        assert_problem(client.get(f"/web/{path}"), 404)


def test_the_libraries_come_out_of_their_packages(client: TestClient) -> None:
    assert "plotly.js v" in client.get("/web/lib/plotly.js").text[:100]
    assert "swagger-ui" in client.get("/docs/swagger-ui-bundle.js").text[:500]
    assert client.get("/docs/swagger-ui.css").headers["content-type"].startswith("text/css")
    assert client.get("/docs/other.js").status_code == 422


def test_the_pages_can_be_switched_off(settings: Settings) -> None:
    without = settings.model_copy(update={"serve_pages": False})
    with TestClient(create_app(without), base_url=BASE_URL) as client:
        assert_problem(client.get("/"), 404)
        assert_problem(client.get("/web/js/main.js"), 404)
        assert client.get("/docs").status_code == 200
