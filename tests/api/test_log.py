"""`GET /experiments/{id}/log`: what has happened, read on from where one was."""

from starlette.testclient import TestClient

from db import claims
from db.claims import Failure
from db.session import Database
from tests.api.conftest import assert_problem, upload


def test_the_log_is_read_on_from_a_cursor(client: TestClient, database: Database) -> None:
    upload(client)
    made = client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"]
    before = client.get(f"/experiments/{made}/log").json()
    assert [(line["attempt"], line["level"], line["message"]) for line in before["data"]] == [
        (0, "info", "accepted")
    ]
    with database.session() as session:
        claim = claims.claim(session, made, "w", 60)
        assert claim is not None
        claims.fail(session, claim, Failure("Broken", "it broke"))
    after = client.get(f"/experiments/{made}/log", params={"since": before["next_since"], "limit": 2}).json()
    assert [line["message"] for line in after["data"]] == [
        "attempt 1 begins on worker w",
        "attempt 1 ends: Broken: it broke",
    ]
    assert after["has_more"]
    last = client.get(f"/experiments/{made}/log", params={"since": after["next_since"]}).json()
    assert [(line["level"], line["message"]) for line in last["data"]] == [("error", "failed")]
    end = client.get(f"/experiments/{made}/log", params={"since": last["next_since"]}).json()
    assert end == {"data": [], "next_since": last["next_since"], "has_more": False}


def test_the_log_goes_with_its_experiment(client: TestClient, database: Database) -> None:
    upload(client)
    made = client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"]
    client.post(f"/experiments/{made}/cancel")
    assert client.delete(f"/experiments/{made}").status_code == 204
    assert_problem(client.get(f"/experiments/{made}/log"), 404)
