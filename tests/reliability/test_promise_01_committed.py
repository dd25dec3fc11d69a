"""Promise 1: 202 means the row is committed."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest
import structlog
from sqlalchemy import make_url

from api.app import create_app
from db.publisher import waiting_calls
from db.settings import Settings
from tests.api.conftest import CORPUS
from tests.client.server import running

LEXICAL = {"kind": "train", "dataset": "tales", "config": {"identifier": {"features": "lexical"}}}
FAILURES = {
    "constraint": "RAISE EXCEPTION 'no'",
    "server": "PERFORM pg_terminate_backend(pg_backend_pid())",
}
REPEATS = 25


@pytest.fixture
def service(settings: Settings) -> Iterator[httpx.Client]:
    """A client of a real server that has a dataset."""
    with (
        # drawn for a terminal, the tracebacks of failed commits would take longer than the requests
        structlog.testing.capture_logs(),
        running(create_app(settings)) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        response = client.post("/datasets", data={"name": "tales"}, files={"file": ("t.jsonl", CORPUS)})
        assert response.status_code == 201, response.text
        yield client


@pytest.fixture
def other(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection to the same database that the service knows nothing of."""
    url = make_url(settings.require_database_url()).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def at_commit(other: psycopg.Connection, table: str, statement: str) -> None:
    """Have the database run a statement when rows of a table are about to be committed."""
    other.execute(
        f"CREATE OR REPLACE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {statement}; PERFORM pg_sleep(0.2); RETURN NULL; END $$"
    )
    other.execute(
        f"CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE OF status ON {table}"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()"
    )


def count(other: psycopg.Connection, table: str) -> int:
    row = other.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


def status_of(other: psycopg.Connection, experiment_id: str) -> str | None:
    row = other.execute("SELECT status FROM experiments WHERE id = %s", [experiment_id]).fetchone()
    return None if row is None else str(row[0])


def assert_problem(response: httpx.Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert not any(word in response.text for word in ("Traceback", "psycopg", "SQL", "File "))


def test_another_connection_reads_the_row_as_soon_as_the_answer_is_there(
    service: httpx.Client, other: psycopg.Connection
) -> None:
    for _ in range(REPEATS):
        response = service.post("/experiments", json=LEXICAL)
        found = status_of(other, response.json()["id"])
        assert (response.status_code, found) == (202, "queued")


def test_an_answer_waits_for_a_commit_that_takes_its_time(
    service: httpx.Client, other: psycopg.Connection
) -> None:
    at_commit(other, "experiments", "PERFORM pg_sleep(0.3)")
    made = service.post("/experiments", json=LEXICAL).json()["id"]
    assert status_of(other, made) == "queued"
    assert service.post(f"/experiments/{made}/cancel").status_code == 202
    assert status_of(other, made) == "cancelled"
    assert service.post(f"/experiments/{made}/retry").status_code == 202
    assert status_of(other, made) == "queued"


@pytest.mark.parametrize("cause", FAILURES)
def test_a_commit_that_fails_is_an_error_without_a_row_and_without_a_call(
    cause: str, service: httpx.Client, other: psycopg.Connection, settings: Settings
) -> None:
    at_commit(other, "experiments", FAILURES[cause])
    assert_problem(service.post("/experiments", json=LEXICAL), 500 if cause == "constraint" else 503)
    assert count(other, "experiments") == 0
    calls = waiting_calls(settings.require_broker_url())
    assert calls is not None
    assert sum(calls.values()) == 0


@pytest.mark.parametrize("cause", FAILURES)
def test_a_dataset_that_is_not_committed_leaves_no_row_and_its_file_to_the_sweeper(
    cause: str, service: httpx.Client, other: psycopg.Connection
) -> None:
    at_commit(other, "datasets", FAILURES[cause])
    response = service.post("/datasets", data={"name": "more"}, files={"file": ("t.jsonl", CORPUS)})
    assert_problem(response, 500 if cause == "constraint" else 503)
    assert (count(other, "datasets"), count(other, "loose_files")) == (1, 1)
