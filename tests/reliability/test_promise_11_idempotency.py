"""Promise 11: idempotency keys hold."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from sqlalchemy import make_url
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import create_app
from client import Client
from db import keys
from db.key_secret import key_secret
from db.session import Database
from db.settings import Settings
from tests.api.conftest import CORPUS
from tests.client.server import running
from tests.worker.conftest import wait_until

CONFIG: dict[str, object] = {"identifier": {"features": "lexical"}}
LEXICAL: dict[str, object] = {"kind": "train", "dataset": "tales", "config": CONFIG}
KEY = {"Idempotency-Key": "once-and-no-more"}
PARALLEL = 20
ANSWER_SECONDS = 8.0
"""Shorter than the service waits for a lock."""


@contextmanager
def talking_to(app: ASGIApp, headers: dict[str, str] | None = None) -> Iterator[httpx.Client]:
    with (
        running(app) as url,
        httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False, headers=headers) as client,
    ):
        yield client


@pytest.fixture
def service(settings: Settings) -> Iterator[httpx.Client]:
    """A client of a real server that has a dataset."""
    with talking_to(create_app(settings)) as client:
        assert upload(client, "tales").status_code == 201
        yield client


@pytest.fixture
def other(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection to the same database that the service knows nothing of."""
    url = make_url(settings.require_database_url()).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def upload(
    client: httpx.Client, name: str, corpus: bytes = CORPUS, headers: dict[str, str] | None = None
) -> httpx.Response:
    return client.post("/datasets", data={"name": name}, files={"file": ("t.jsonl", corpus)}, headers=headers)


def post(
    client: httpx.Client, headers: dict[str, str] = KEY, changes: dict[str, object] | None = None
) -> httpx.Response:
    return client.post("/experiments", json=LEXICAL | (changes or {}), headers=headers)


def count(other: psycopg.Connection, table: str) -> int:
    row = other.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def first_in_flight(service: httpx.Client, other: psycopg.Connection) -> Iterator[Future[httpx.Response]]:
    """A request whose row can't be inserted before the block ends; yields its answer to come."""

    def is_held_up() -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
        row = other.execute(
            f"{waiting} (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone()
        return row is not None and row[0] == 1

    with ThreadPoolExecutor(1) as pool, other.transaction():
        other.execute("LOCK TABLE experiments IN SHARE MODE")
        first = pool.submit(post, service)
        wait_until(is_held_up, "the first request waits for the table")
        yield first


def test_of_twenty_requests_at_once_one_makes_the_experiment(
    service: httpx.Client, other: psycopg.Connection
) -> None:
    start = threading.Barrier(PARALLEL)

    def post_with_the_others(_: int) -> httpx.Response:
        start.wait()
        return post(service)

    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(post_with_the_others, range(PARALLEL)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    (made,) = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    assert count(other, "experiments") == 1
    again = post(service)
    assert (again.status_code, again.json()["id"]) == (202, made)
    assert again.headers["location"] == f"/experiments/{made}"
    assert again.headers["idempotent-replayed"] == "true"


def test_a_request_is_refused_while_the_first_is_in_flight(
    service: httpx.Client, other: psycopg.Connection
) -> None:
    with first_in_flight(service, other) as first:
        refused = post(service)
        assert refused.status_code == 409
        assert refused.json()["type"] == "/problems/request-in-flight"
        assert refused.headers["retry-after"].isdecimal()
    made = first.result()
    assert made.status_code == 202
    assert "idempotent-replayed" not in made.headers
    assert post(service).json()["id"] == made.json()["id"]
    assert count(other, "experiments") == 1


def test_a_request_that_was_cut_off_leaves_nothing_in_flight(
    service: httpx.Client, other: psycopg.Connection
) -> None:
    with first_in_flight(service, other) as first:
        # as when the service's process is killed: the database ends the transaction with the connection
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        assert first.result().status_code == 503
    made = post(service)
    assert (made.status_code, made.headers.get("idempotent-replayed")) == (202, None)
    assert count(other, "experiments") == 1


def test_another_body_under_the_same_key_is_refused(service: httpx.Client, other: psycopg.Connection) -> None:
    made = post(service)
    others: tuple[dict[str, object], ...] = ({"seed": 1}, {"name": "another"}, {"config": {}})
    for changes in others:
        refused = post(service, changes=changes)
        assert refused.status_code == 422, changes
        assert refused.json()["errors"][0]["loc"] == ["header", "Idempotency-Key"]
    assert upload(service, "more", headers=KEY).status_code == 422
    written_out = post(service, changes={"seed": 0})
    assert written_out.json()["id"] == made.json()["id"]
    assert count(other, "experiments") == 1


def test_an_upload_that_is_sent_again_is_kept_once(service: httpx.Client, other: psycopg.Connection) -> None:
    made, again = upload(service, "mine", headers=KEY), upload(service, "mine", headers=KEY)
    assert made.request.headers["content-type"] != again.request.headers["content-type"]
    assert (again.status_code, again.json(), again.headers["location"]) == (
        201,
        made.json(),
        made.headers["location"],
    )
    assert again.headers["idempotent-replayed"] == "true"
    assert upload(service, "other", headers=KEY).status_code == 422
    assert upload(service, "mine", CORPUS + CORPUS, headers=KEY).status_code == 422
    assert count(other, "datasets") == 2


def test_keys_of_two_holders_do_not_mix(settings: Settings, database: Database) -> None:
    guarded = settings.model_copy(update={"require_keys": True})
    secret = key_secret(guarded)
    with database.session() as session:
        one = keys.create(session, secret, "one", [keys.Scope.WRITE])
        terms = keys.Terms(shares_with=one.id)  # and so sees the same dataset
        holders = [one, keys.create(session, secret, "two", [keys.Scope.WRITE], terms=terms)]
    headers = [KEY | {"Authorization": f"Bearer {holder.secret}"} for holder in holders]
    with talking_to(create_app(guarded)) as client:
        assert upload(client, "tales", headers={"Authorization": headers[0]["Authorization"]}).is_success
        first, second = [post(client, holder).json()["id"] for holder in headers]
        assert first != second
        assert [post(client, holder).json()["id"] for holder in headers] == [first, second]
        assert post(client, headers[1], {"seed": 1}).status_code == 422


class LosesFirstAnswers:
    """Lets the application do what it is asked, and breaks off the first answer to each path's POST."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.lost: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] in self.lost:
            await self.app(scope, receive, send)
            return
        self.lost.append(scope["path"])

        async def swallow(_: Message) -> None:
            return

        await self.app(scope, receive, swallow)
        # a body that never comes: the server closes the connection
        length = [(b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 202, "headers": length})


def test_the_client_asks_again_and_one_thing_is_made(
    settings: Settings, other: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    corpus = tmp_path_factory.mktemp("corpus") / "t.jsonl"
    corpus.write_bytes(CORPUS)
    app = LosesFirstAnswers(create_app(settings))
    with running(app) as url, Client(url, timeout_seconds=ANSWER_SECONDS) as client:
        dataset = client.datasets.upload(corpus, "tales")
        experiment = client.experiments.create("train", "tales", config=CONFIG)
    assert app.lost == ["/datasets", "/experiments"]
    assert (count(other, "datasets"), count(other, "experiments")) == (1, 1)
    assert experiment["dataset"] == dataset["id"]
