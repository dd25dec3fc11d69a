"""What a key may ask for, at the door of the real application and with Redis away."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.errors import TooManyRequestsError
from api.keys import Holder
from api.quotas import AWAY_SECONDS, Limits, Quotas
from db import keys
from db.ids import new_id
from db.key_secret import key_secret
from db.keys import Scope, Terms
from db.session import Database
from db.settings import Settings
from tests.api.conftest import BASE_URL, assert_problem
from tests.reliability.proxied import broker_proxy, database_proxy, proxied
from tests.reliability.proxy import Proxy

__all__ = ["broker_proxy", "database_proxy", "proxied"]


def holder(requests: int | None = None, texts: int | None = None) -> Holder:
    """A key nobody has counted before."""
    return Holder(new_id("key"), Scope.READ, "key_x", Limits(requests, texts))


@pytest.fixture
def quotas(settings: Settings) -> Iterator[Quotas]:
    quotas = Quotas(settings.model_copy(update={"requests_per_minute": 3, "texts_per_day": 10}))
    yield quotas
    quotas.close()


def test_requests_are_counted_by_key_and_one_too_many_says_when_to_come_back(quotas: Quotas) -> None:
    ann, bob = holder(), holder()
    for _ in range(3):
        quotas.admit(ann)
    with pytest.raises(TooManyRequestsError) as refused:
        quotas.admit(ann)
    assert refused.value.headers is not None
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 120
    quotas.admit(bob)


def test_texts_are_counted_as_they_are_asked_for_and_too_many_count_nothing(quotas: Quotas) -> None:
    ann = holder()
    quotas.spend_texts(ann, 6)
    for _ in range(3):
        with pytest.raises(TooManyRequestsError, match="10 texts"):
            quotas.spend_texts(ann, 5)
    quotas.spend_texts(ann, 4)
    with pytest.raises(TooManyRequestsError):
        quotas.spend_texts(ann, 1)


def test_what_a_key_says_itself_wins_and_nothing_means_any_number(quotas: Quotas) -> None:
    one, any_number = holder(requests=1, texts=1), holder(requests=0, texts=0)
    quotas.admit(one)
    quotas.spend_texts(one, 1)
    with pytest.raises(TooManyRequestsError):
        quotas.admit(one)
    with pytest.raises(TooManyRequestsError):
        quotas.spend_texts(one, 1)
    for _ in range(20):
        quotas.admit(any_number)
        quotas.spend_texts(any_number, 1000)


def test_two_processes_count_together(settings: Settings) -> None:
    few = settings.model_copy(update={"requests_per_minute": 2})
    first, second, ann = Quotas(few), Quotas(few), holder()
    first.admit(ann)
    second.admit(ann)
    for each in (first, second):
        with pytest.raises(TooManyRequestsError):
            each.admit(ann)
        each.close()


def test_without_redis_each_process_counts_alone_and_with_it_again_together(
    proxied: Settings, broker_proxy: Proxy
) -> None:
    now = 0.0
    few = proxied.model_copy(update={"requests_per_minute": 2})
    first, second = (Quotas(few, clock=lambda: now) for _ in range(2))
    ann = holder()
    first.admit(ann)
    broker_proxy.refuse()
    for each in (first, second):
        for _ in range(2):
            each.admit(ann)
        with pytest.raises(TooManyRequestsError):
            each.admit(ann)
    broker_proxy.pass_on()
    now += AWAY_SECONDS
    second.admit(ann)
    with pytest.raises(TooManyRequestsError):
        first.admit(ann)
    first.close()
    second.close()


def test_the_door_counts_and_answers_429(settings: Settings, database: Database) -> None:
    strict = settings.model_copy(update={"require_keys": True})
    with database.session() as session:
        terms = Terms(requests_per_minute=3, texts_per_day=2)
        new = keys.create(session, key_secret(strict), "few", [Scope.READ], terms=terms)
        other = keys.create(session, key_secret(strict), "other", [Scope.READ], terms=Terms(texts_per_day=2))
    headers = {"Authorization": f"Bearer {new.secret}"}
    with TestClient(create_app(strict), base_url=BASE_URL, raise_server_exceptions=False) as client:
        # refused for its scope, it counts too
        assert client.post("/experiments", headers=headers).status_code == 403
        assert [client.get("/models", headers=headers).status_code for _ in range(2)] == [200, 200]
        refused = client.get("/models", headers=headers)
        assert_problem(refused, 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/health/live", headers=headers).status_code == 200
        headers = {"Authorization": f"Bearer {other.secret}"}
        for path, body in (
            ("/classify", {"input": ["a", "b", "c"]}),
            ("/embed", {"input": ["a", "b", "c"]}),
            ("/v1/embeddings", {"input": ["a", "b", "c"], "model": "minilm"}),
        ):
            problem = assert_problem(client.post(path, json=body, headers=headers), 429)
            assert "texts in 24 hours" in problem["detail"]
        assert_problem(client.post("/classify", json={"input": ["a", "b"]}, headers=headers), 404)
        assert_problem(client.post("/classify", json={"input": "a"}, headers=headers), 429)
