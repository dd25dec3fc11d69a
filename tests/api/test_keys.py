"""Who may come in: keys at the door of the real application."""

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.keys import CACHE_SECONDS, KeyRing, asks_for_keys, scope_needed
from db import keys
from db.errors import DatabaseUnavailableError
from db.key_secret import key_secret
from db.keys import NewKey, Scope
from db.session import Database
from db.settings import Settings
from tests.api.conftest import BASE_URL, CORPUS, assert_problem

OPEN = ("/health/live", "/health/ready", "/docs", "/openapi.json", "/problems/unauthorized")
AWAY = "postgresql+psycopg://nobody@127.0.0.1:1/none"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"require_keys": True})


@pytest.fixture
def new_keys(settings: Settings, database: Database) -> dict[Scope, NewKey]:
    """A key of each scope."""
    with database.session() as session:
        return {scope: keys.create(session, key_secret(settings), scope.value, [scope]) for scope in Scope}


@pytest.fixture
def bearer(new_keys: dict[Scope, NewKey]) -> dict[Scope, dict[str, str]]:
    """The headers that show these keys."""
    return {scope: {"Authorization": f"Bearer {new.secret}"} for scope, new in new_keys.items()}


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic eDp5", "Bearer sip_" + "A" * 43, "sip_"]
)
def test_without_a_live_key_only_what_is_open_answers(header: str | None, client: TestClient) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in ("/datasets", "/experiments/exp_1", "/models", "/nothing", "/health", "/openapi.jsonx"):
        response = client.get(path, headers=headers)
        assert_problem(response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer")
    for path in OPEN:
        assert client.get(path, headers=headers).status_code == 200, path


def test_without_a_key_no_body_is_read(client: TestClient) -> None:
    assert_problem(client.post("/experiments", content=b"{" * 1000), 401)
    too_large = {"Content-Length": str(10**12), "Content-Type": "application/json"}
    assert_problem(client.post("/experiments", content=b"{", headers=too_large), 413)


def test_a_key_may_do_what_its_scope_says_and_no_more(
    client: TestClient, bearer: dict[Scope, dict[str, str]]
) -> None:
    def status(scope: Scope, method: str, path: str) -> int:
        return client.request(method, path, headers=bearer[scope]).status_code

    for scope in Scope:
        assert status(scope, "GET", "/datasets") == 200
        assert status(scope, "POST", "/classify") == 415
    assert [status(scope, "POST", "/experiments") for scope in Scope] == [403, 415, 415]
    assert [status(scope, "DELETE", "/datasets/none") for scope in Scope] == [403, 404, 404]
    assert [status(scope, "POST", "/models/none/default") for scope in Scope] == [403, 403, 404]
    assert [status(scope, "DELETE", "/models/none") for scope in Scope] == [403, 403, 404]
    refused = client.post("/experiments", headers=bearer[Scope.READ])
    assert "expected write" in assert_problem(refused, 403)["detail"]
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="write"'


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("HEAD", "/datasets", Scope.READ),
        ("POST", "/v1/embeddings", Scope.READ),
        ("POST", "/classify/", Scope.WRITE),
        ("PUT", "/classify", Scope.WRITE),
        ("POST", "/experiments/exp_1/retry", Scope.WRITE),
        ("POST", "/models", Scope.WRITE),
        ("POST", "/models/m/default\n", Scope.ADMIN),
        ("DELETE", "/models/m/", Scope.ADMIN),
        ("GET", "/health/live/../../datasets", Scope.READ),
        ("DELETE", "/problems/a/b", Scope.WRITE),
    ],
)
def test_what_is_not_known_needs_more_and_not_less(method: str, path: str, scope: Scope) -> None:
    assert scope_needed(method, path) is scope


def test_a_revoked_key_is_refused_once_it_is_forgotten(
    settings: Settings, database: Database, new_keys: dict[Scope, NewKey]
) -> None:
    now = 100.0
    ring = KeyRing(database, key_secret(settings), clock=lambda: now)
    new = new_keys[Scope.WRITE]
    holder = ring.holder(new.secret)
    assert holder is not None
    assert (holder.key_id, holder.scope, holder.owner) == (new.id, Scope.WRITE, new.id)
    with database.session() as session:
        keys.revoke(session, new.id)
    now += CACHE_SECONDS - 0.1
    assert ring.holder(new.secret) is not None
    now += 0.2
    assert ring.holder(new.secret) is None
    assert CACHE_SECONDS <= 5


def test_while_the_database_is_away_a_remembered_key_works_and_another_is_not_called_wrong(
    settings: Settings, database: Database, new_keys: dict[Scope, NewKey]
) -> None:
    database_away = Database(AWAY)
    ring = KeyRing(database, key_secret(settings))
    remembered, other = new_keys[Scope.READ].secret, new_keys[Scope.ADMIN].secret
    assert ring.holder(remembered) is not None
    ring._database = database_away
    assert ring.holder(remembered) is not None
    assert ring.holder("sip_short") is None
    with pytest.raises(DatabaseUnavailableError):
        ring.holder(other)
    database_away.close()


def test_a_key_that_cannot_be_looked_up_is_a_503(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": AWAY})
    with TestClient(create_app(away), base_url=BASE_URL) as client:
        response = client.get("/datasets", headers={"Authorization": "Bearer sip_" + "A" * 43})
        assert_problem(response, 503)
        assert response.headers["retry-after"].isdecimal()
        assert_problem(client.get("/datasets", headers={"Authorization": "Bearer nonsense"}), 401)


def test_with_keys_a_service_on_loopback_answers_to_any_name(
    settings: Settings, bearer: dict[Scope, dict[str, str]]
) -> None:
    with TestClient(create_app(settings), base_url="http://sip.example") as client:
        assert client.get("/datasets", headers=bearer[Scope.READ]).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"host": "127.0.0.1"}, False),
        ({"host": "::1"}, False),
        ({"host": "127.0.0.1", "require_keys": True}, True),
        ({"host": "0.0.0.0"}, True),
        ({"host": "sip.example"}, True),
        ({"host": "0.0.0.0", "allow_anyone": True}, False),
        ({"host": "0.0.0.0", "allow_anyone": True, "require_keys": True}, True),
    ],
)
def test_the_settings_decide_whether_keys_are_asked_for(changes: dict[str, object], expected: bool) -> None:
    assert asks_for_keys(Settings.model_validate(changes)) is expected


def test_keys_stay_out_of_the_log_and_out_of_answers(
    client: TestClient, new_keys: dict[Scope, NewKey], capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = [new.secret for new in new_keys.values()]
    answers = [client.get("/datasets", headers={"Authorization": f"Bearer {secret}x"}) for secret in secrets]
    answers += [client.get("/datasets", headers={"Authorization": f"Bearer {secret}"}) for secret in secrets]
    shown = "".join([*capfd.readouterr(), *(answer.text + str(answer.headers) for answer in answers)])
    assert "/datasets" in shown
    assert not any(secret in shown for secret in secrets)


def test_the_document_says_which_scope_a_request_needs(client: TestClient) -> None:
    openapi = client.get("/openapi.json").json()
    (scheme,) = openapi["components"]["securitySchemes"]
    assert openapi["paths"]["/experiments"]["post"]["security"] == [{scheme: ["write"]}, {}]
    assert openapi["paths"]["/classify"]["post"]["security"] == [{scheme: ["read"]}, {}]
    assert openapi["paths"]["/models/{model}"]["delete"]["security"] == [{scheme: ["admin"]}, {}]
    open_paths = {*OPEN, "/problems/{type}", "/prometheus"}
    for path, operations in openapi["paths"].items():
        for operation in operations.values():
            is_guarded = path not in open_paths
            declared = [status in operation["responses"] for status in ("401", "429")]
            assert [*declared, "security" in operation] == [is_guarded] * 3, path


def test_an_upload_with_a_key_is_kept(client: TestClient, bearer: dict[Scope, dict[str, str]]) -> None:
    response = client.post(
        "/datasets", data={"name": "t"}, files={"file": ("t.jsonl", CORPUS)}, headers=bearer[Scope.WRITE]
    )
    assert response.status_code == 201
