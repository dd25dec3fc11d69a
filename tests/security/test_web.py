"""What browsers are told, and what they are not."""

import re

import pytest

from api.routes.docs import CONTENT_SECURITY_POLICY
from api.security_headers import HEADERS
from api.static_files import ASK_EACH_TIME
from tests.security.conftest import House

PATHS = (
    "/health/live", "/health/ready", "/prometheus", "/openapi.json", "/docs", "/docs/start.js", "/nowhere",
    "/docs/swagger-ui.css", "/", "/web/js/main.js", "/web/lib/plotly.js", "/kinds",
    "/problems/unauthorized", "/datasets", "/experiments/{experiment}/report",
    "/experiments/{experiment}/artifacts/left.json", "/models/{model}/download", "/metrics?format=csv",
)  # fmt: skip

KEPT_COPIES = ("/docs/swagger-ui.css", "/", "/web/js/main.js", "/web/lib/plotly.js")
"""Files that are the same for everyone."""


@pytest.mark.parametrize("who", ["ann", "nobody"])
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_says_that_nothing_runs_and_nobody_frames_it(house: House, who: str, path: str) -> None:
    response = house.ask(who, "GET", path.format(**house.owned))
    for name, value in HEADERS.items():
        assert name in response.headers, path
        if name == "Cache-Control" and path in KEPT_COPIES:
            assert response.headers[name] == ASK_EACH_TIME
        elif name != "Content-Security-Policy":
            assert response.headers[name] == value, path
    policy = response.headers["Content-Security-Policy"]
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert policy.startswith("default-src 'none'; ")
    assert scripts is None or "unsafe" not in scripts.group(1)
    assert "set-cookie" not in response.headers
    assert not any(name.startswith("access-control") for name in response.headers)
    assert "server" not in response.headers


def test_a_page_of_another_origin_gets_no_leave(house: House) -> None:
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answers = [house.ask("nobody", "OPTIONS", path, headers=asked) for path in ("/classify", "/datasets")]
    answers += [house.ask("ann", "GET", "/datasets", headers=asked)]
    assert [answer.status_code for answer in answers] == [401, 401, 200]
    assert not any(name.startswith("access-control") for answer in answers for name in answer.headers)


def test_the_page_of_the_document_runs_no_inline_script_and_no_file_of_another_host(house: House) -> None:
    page = house.ask("nobody", "GET", "/docs")
    assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL)
    assert [body for _, body in scripts] == ["", ""]
    assert " on" not in re.sub(r">[^<]*<", "><", page.text)  # no handlers either
    assert "//" not in page.text  # nothing of another host
    start = house.ask("nobody", "GET", "/docs/start.js")
    assert start.headers["content-type"].startswith("text/javascript")
    assert "/openapi.json" in start.text


def test_what_nobody_foresaw_says_so_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("db.datasets.page", fail)
    response = house.ask("ann", "GET", "/datasets")
    assert response.status_code == 500
    assert "unforeseen" not in response.text
    assert all(response.headers[name] == value for name, value in HEADERS.items())
