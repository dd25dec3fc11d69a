"""Servers that go away and come back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from db.embedded_redis import EmbeddedRedis
from db.publisher import waiting_calls
from db.session import Database
from db.settings import Settings
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until
from tests.worker.jobs import is_open, open_gate

StartWorker = Callable[[], WorkerProcess]


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A broker that only this test uses, so that it may stop it."""
    folder = tmp_path_factory.mktemp("broker")
    broker = EmbeddedRedis(folder, folder)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def broker_url(own_broker: EmbeddedRedis) -> str:
    """URL of that broker."""
    return own_broker.start()


def test_a_broker_that_is_away_loses_nothing(
    start_worker: StartWorker, submit: Submit, read: Read, own_broker: EmbeddedRedis, settings: Settings
) -> None:
    start_worker()
    first = submit("complete")
    wait_until(lambda: read(first).status == "succeeded", "the worker works")
    own_broker.stop()
    second = submit("complete")
    assert waiting_calls(settings.require_broker_url()) is None
    own_broker.start()
    wait_until(lambda: read(second).status == "succeeded", "the worker is back")
    assert read(second).attempt == 1


def test_cut_database_connections_do_not_end_an_experiment(
    start_worker: StartWorker, submit: Submit, read: Read, database: Database, gates: Path
) -> None:
    start_worker()
    experiment_id = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    with database.session() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    open_gate(gates, "go")
    wait_until(lambda: read(experiment_id).status == "succeeded", "the experiment succeeds")
    assert read(experiment_id).attempt == 1
