"""`GET /experiments/{id}/events`: what happens to an experiment, told as it happens."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import httpx
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from db import claims
from db.claims import Claim, Failure
from db.metrics import NewMetric
from db.session import Database
from db.settings import Settings
from tests.api.conftest import assert_problem, upload
from tests.client.server import running


class Event(NamedTuple):
    name: str
    data: dict[str, object]
    id: str | None


def parse(stream: str) -> Iterator[Event]:
    """The events of a stream, by the rules of the HTML standard that it uses."""
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), fields.get("id"))


def follow(client: TestClient, experiment: str, after: str | None = None) -> list[Event]:
    """All events until the stream ends."""
    headers = {} if after is None else {"Last-Event-ID": after}
    response = client.get(f"/experiments/{experiment}/events", headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return list(parse(response.text))


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    """A server over real connections: what it writes is read at once."""
    with running(create_app(settings)) as url:
        yield url


@pytest.fixture
def live(url: str, experiment: str) -> Iterator[Callable[[], Iterator[Event]]]:
    """The events of the experiment as they come."""
    with ExitStack() as open_streams:

        def events() -> Iterator[Event]:
            stream = httpx.stream("GET", f"{url}/experiments/{experiment}/events", timeout=30)
            response = open_streams.enter_context(stream)
            block = ""
            for line in response.iter_lines():
                block += f"{line}\n"
                if not line:
                    yield from parse(block)
                    block = ""

        yield events


def next_of(events: Iterator[Event], name: str) -> Event:
    """The next event of this name; those before it are left aside."""
    return next(event for event in events if event.name == name)


@pytest.fixture
def experiment(client: TestClient) -> str:
    upload(client)
    made: str = client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"]
    return made


def taken(database: Database, experiment: str) -> Claim:
    with database.session() as session:
        claim = claims.claim(session, experiment, "w", 60)
    assert claim is not None
    return claim


def measure(database: Database, claim: Claim, *values: float) -> None:
    with database.session() as session:
        new = [NewMetric(name="train/loss", value=value, step=step) for step, value in enumerate(values)]
        claims.record(session, claim, progress=None, new_metrics=new, dataset="tales")


def fail(database: Database, claim: Claim) -> None:
    with database.session() as session:
        claims.fail(session, claim, Failure("Broken", "it broke"))


def test_a_final_experiment_is_told_whole_and_its_status_comes_last(
    client: TestClient, database: Database, experiment: str
) -> None:
    claim = taken(database, experiment)
    measure(database, claim, 2.0, 1.0)
    fail(database, claim)
    events = follow(client, experiment)
    assert [event.data["value"] for event in events if event.name == "metric"] == [2.0, 1.0]
    log = client.get(f"/experiments/{experiment}/log").json()["data"]
    assert [event.data for event in events if event.name == "log"] == log
    polled = client.get("/metrics", params={"experiment": experiment}).json()["data"]
    assert [event.data for event in events if event.name == "metric"] == polled
    assert [event.name for event in events].count("progress") == 1
    assert events[-1].name == "status"
    assert events[-1].data == {
        "status": "failed",
        "attempt": 1,
        "error": {"type": "Broken", "message": "it broke"},
    }


def test_a_stream_goes_on_after_any_event(client: TestClient, database: Database, experiment: str) -> None:
    claim = taken(database, experiment)
    measure(database, claim, *range(5))
    fail(database, claim)
    events = [event for event in follow(client, experiment) if event.name in ("metric", "log")]
    for number, event in enumerate(events[:-1]):
        rest = [later for later in follow(client, experiment, event.id) if later.name in ("metric", "log")]
        assert rest == events[number + 1 :]


def test_at_the_end_of_a_final_experiment_clients_are_told_to_stay_away(
    client: TestClient, database: Database, experiment: str
) -> None:
    fail(database, taken(database, experiment))
    last = follow(client, experiment)[-1].id
    assert last is not None
    again = client.get(f"/experiments/{experiment}/events", headers={"Last-Event-ID": last})
    assert (again.status_code, again.content) == (204, b"")
    # whoever has seen all but the final status is told of it
    assert [event.name for event in follow(client, experiment, last.removesuffix("-end"))] == [
        "progress",
        "status",
    ]
    client.post(f"/experiments/{experiment}/retry")
    client.post(f"/experiments/{experiment}/cancel")
    assert follow(client, experiment, last)[-1].data["status"] == "cancelled"


def test_a_running_experiment_is_told_as_it_goes(
    live: Callable[[], Iterator[Event]], database: Database, experiment: str
) -> None:
    events = live()
    assert next_of(events, "status").data["status"] == "queued"
    claim = taken(database, experiment)
    assert next_of(events, "status").data["status"] == "running"
    measure(database, claim, 2.0)
    assert next_of(events, "metric").data["value"] == 2.0
    fail(database, claim)
    assert next_of(events, "log").data["message"] == "attempt 1 ends: Broken: it broke"
    assert [event.data.get("status") for event in events][-1] == "failed"


def test_more_than_is_read_at_once_comes_whole_and_once(
    client: TestClient, database: Database, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.event_stream.ROWS", 7)
    claim = taken(database, experiment)
    measure(database, claim, *range(50))
    fail(database, claim)
    events = follow(client, experiment)
    assert [event.data["value"] for event in events if event.name == "metric"] == list(range(50))
    assert events[-1].data["status"] == "failed"


def test_a_stream_ends_with_its_experiment(
    client: TestClient, live: Callable[[], Iterator[Event]], experiment: str
) -> None:
    events = live()
    assert next_of(events, "status").data["status"] == "queued"
    client.post(f"/experiments/{experiment}/cancel")
    assert [event.data.get("status") for event in events][-1] == "cancelled"
    client.delete(f"/experiments/{experiment}")
    assert_problem(client.get(f"/experiments/{experiment}/events"), 404)


def test_what_there_is_can_be_had_without_waiting(
    client: TestClient, database: Database, experiment: str
) -> None:
    claim = taken(database, experiment)
    measure(database, claim, 2.0)
    path = f"/experiments/{experiment}/events?follow=false"
    events = list(parse(client.get(path).text))
    assert [event.data["value"] for event in events if event.name == "metric"] == [2.0]
    assert (events[-1].name, events[-1].data["status"]) == ("status", "running")
    last = events[-1].id
    assert last is not None
    again = list(parse(client.get(path, headers={"Last-Event-ID": last}).text))
    assert [event.name for event in again] == ["progress", "status"]


@pytest.mark.parametrize("cursor", ["", "x", "1", "1-", "-1-2", "1-2-3", "1-2-ende", "9" * 19 + "-0", "1-²"])
def test_what_is_no_event_s_id_is_refused(client: TestClient, experiment: str, cursor: str) -> None:
    headers = [(b"Last-Event-ID", cursor.encode())]
    response = client.get(f"/experiments/{experiment}/events", headers=headers)
    assert_problem(response, 422)


def test_a_stream_ends_after_a_while_and_goes_on_in_the_next(
    client: TestClient, database: Database, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.event_stream.LONGEST_SECONDS", 0.5)
    first = follow(client, experiment)
    assert first[-1].data["status"] == "queued"
    fail(database, taken(database, experiment))
    rest = follow(client, experiment, first[-1].id)
    assert "accepted" not in [event.data.get("message") for event in rest]
    assert rest[-1].data["status"] == "failed"


def test_an_idle_stream_says_that_it_stands(
    url: str, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.event_stream.QUIET_SECONDS", 0.1)
    with httpx.stream("GET", f"{url}/experiments/{experiment}/events", timeout=30) as response:
        assert ": ping" in response.iter_lines()
