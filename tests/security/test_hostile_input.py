"""Each entry of the catalogue is refused with its status, and touches nothing while it is."""

import json
from collections import Counter
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import assert_problem
from tests.security.catalogue import catalogue
from tests.security.conftest import House
from tests.security.ears import Ears
from tests.security.hostile import MARK, Hostile

CATALOGUE = catalogue()


@pytest.fixture(scope="session")
def ears(house: House) -> Ears:
    """Hears whatever is opened outside of the service's folder, and whoever is called but its broker."""
    broker = house.settings.require_broker_url().removeprefix("redis+socket://")
    return Ears([house.settings.data_dir], {broker.partition("?")[0]})


def test_the_catalogue_is_as_long_as_it_says_and_names_each_once() -> None:
    assert len(CATALOGUE) >= 150
    assert [
        name for name, number in Counter(hostile.name for hostile in CATALOGUE).items() if number > 1
    ] == []


@pytest.mark.parametrize("hostile", CATALOGUE, ids=[hostile.name for hostile in CATALOGUE])
def test_it_is_refused_with_its_status_and_reaches_nothing(
    house: House, ears: Ears, hostile: Hostile
) -> None:
    request = dict(hostile.request)
    if "json" in request:
        request["json"] = _filled(request["json"], house.owned)
    with ears.listening() as heard:
        response = house.ask(hostile.who, hostile.method, _filled(hostile.path, house.owned), **request)
    assert response.status_code == hostile.status, response.text
    if hostile.status >= 400:
        problem = assert_problem(response, hostile.status)
        assert "Traceback" not in json.dumps(problem)
    assert MARK not in response.text
    assert "access-control-allow-origin" not in response.headers
    assert heard == []


def test_after_all_of_it_nothing_was_made_or_lost(house: House) -> None:
    for path in ("/datasets", "/experiments", "/models"):
        kind = path[1:-1]
        assert [row["id"] for row in house.ask("ann", "GET", path).json()["data"]] == [house.owned[kind]]
    left = [
        path for folder in ("uploads", "scratch") for path in (house.settings.data_dir / folder).rglob("*")
    ]
    assert left == []


def test_revoked_expired_and_altered_keys_are_no_keys(house: House) -> None:
    secret = house.headers["ann"]["Authorization"]
    last = "A" if secret[-1] != "A" else "B"
    for given in (
        secret[:-1] + last,
        secret[:-1],
        secret + "=",
        secret.swapcase(),
        secret.replace("sip_", "SIP_"),
    ):
        assert_problem(house.ask("nobody", "GET", "/datasets", headers={"Authorization": given}), 401)
    # one header of two is not chosen for the client
    two = [("Authorization", secret), ("Authorization", "Bearer x")]
    client: TestClient = house.client
    assert client.get("/datasets", headers=[*two[::-1]]).status_code == 401


def test_a_request_id_cannot_write_lines_of_its_own(house: House) -> None:
    for given in ("a\tb", "x" * 200, "é".encode(), "<script>"):
        response = house.ask("ann", "GET", "/datasets", headers={"X-Request-ID": given})
        assert response.headers["x-request-id"].startswith("req_")


def _filled(value: Any, owned: dict[str, str]) -> Any:
    match value:
        case str():
            for kind, id in owned.items():
                value = value.replace(f"{{{kind}}}", id)
            return value
        case list():
            return [_filled(item, owned) for item in value]
        case dict():
            return {key: _filled(item, owned) for key, item in value.items()}
        case _:
            return value
