"""Promise 18: `GET /metrics?since=` misses no row and repeats none."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app
from db import claims, experiments
from db.claims import Claim
from db.experiments import NewExperiment
from db.metrics import NewMetric
from db.session import Database
from db.settings import Settings
from db.tables import Dataset
from tests.worker.conftest import wait_until

NUM_WRITERS = 4
NUM_BATCHES = 25
PAGE_ROWS = 7


@pytest.fixture
def api(settings: Settings) -> Iterator[TestClient]:
    """A client of the service."""
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8000") as api:
        yield api


def begin(database: Database, dataset: Dataset) -> Claim:
    """Claim an experiment of one's own."""
    with database.session() as session:
        new = NewExperiment(kind="train", config={}, seed=1, dataset_id=dataset.id)
        experiment_id = experiments.add(session, new).id
    with database.session() as session:
        claim = claims.claim(session, experiment_id, "w", 60)
    assert claim is not None
    return claim


def read_on(api: TestClient, since: int, **wanted: Any) -> tuple[list[str], int]:
    """The rows after a cursor, each as experiment, name and step, and the next cursor."""
    rows: list[str] = []
    while True:
        response = api.get("/metrics", params={"since": since, "limit": PAGE_ROWS, **wanted})
        page = response.json()
        rows += [f"{row['experiment']} {row['name']} {row['step']}" for row in page["data"]]
        since = page["next_since"]
        if not page["has_more"]:
            return rows, since


def test_a_row_whose_id_was_drawn_before_that_of_a_row_read_is_not_skipped(
    api: TestClient, database: Database, dataset: Dataset
) -> None:
    early, late = begin(database, dataset), begin(database, dataset)
    drawn, commit, committed = threading.Event(), threading.Event(), threading.Event()

    def write_early() -> None:
        with database.session() as session:
            one = [NewMetric(name="early", value=1)]
            claims.record(session, early, progress=None, new_metrics=one, dataset=dataset.name)
            drawn.set()
            assert commit.wait(15)

    def write_late() -> None:
        with database.session() as session:
            one = [NewMetric(name="late", value=2)]
            claims.record(session, late, progress=None, new_metrics=one, dataset=dataset.name)
        committed.set()

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write_early)]
        try:
            assert drawn.wait(15)
            writers.append(pool.submit(write_late))
            wait_until(
                lambda: committed.is_set() or _waits(database), "the second writer is done, or waits", 10
            )
            first, since = read_on(api, 0)
        finally:
            commit.set()
        for writer in writers:
            writer.result(timeout=20)
    rest, _ = read_on(api, since)
    assert sorted(first + rest) == sorted(
        [f"{early.experiment_id} early None", f"{late.experiment_id} late None"]
    )


@pytest.mark.parametrize("wanted", [{}, {"name": "loss/*"}])
def test_a_poller_sees_every_row_of_many_writers_once(
    api: TestClient, database: Database, dataset: Dataset, wanted: dict[str, str]
) -> None:
    claimed = [begin(database, dataset) for _ in range(NUM_WRITERS)]
    finished = threading.Event()
    seen: list[str] = []

    def poll() -> None:
        since = 0
        while True:
            is_last = finished.is_set()
            rows, since = read_on(api, since, **wanted)
            seen.extend(rows)
            if is_last:
                return

    def write_batches(claim: Claim) -> None:
        for step in range(NUM_BATCHES):
            batch = [NewMetric(name=f"loss/{part}", value=1, step=step) for part in range(step % 3 + 1)]
            with database.session() as session:
                claims.record(session, claim, progress=None, new_metrics=batch, dataset=dataset.name)

    poller = threading.Thread(target=poll)
    poller.start()
    with ThreadPoolExecutor(NUM_WRITERS) as pool:
        list(pool.map(write_batches, claimed))
    finished.set()
    poller.join()
    assert sorted(seen) == sorted(
        f"{claim.experiment_id} loss/{part} {step}"
        for claim in claimed
        for step in range(NUM_BATCHES)
        for part in range(step % 3 + 1)
    )


def _waits(database: Database) -> bool:
    """Whether a transaction waits for a lock that the service takes by name."""
    waiting = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with database.session() as session:
        return bool(session.scalar(waiting))
