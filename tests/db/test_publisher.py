"""Wake-up calls: short, and never the reason why a request fails."""

import logging

import pytest
import redis

from db import experiments
from db.embedded_redis import EmbeddedRedis
from db.publisher import announce, publish, waiting_calls
from db.session import Database
from db.states import Queue
from db.tables import Experiment


def test_a_call_waits_at_the_broker(broker_url: str) -> None:
    assert waiting_calls(broker_url) == {Queue.GPU: 0, Queue.CPU: 0}
    assert publish(broker_url, "exp_1", Queue.CPU)
    assert waiting_calls(broker_url) == {Queue.GPU: 0, Queue.CPU: 1}


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere/redis.sock"])
def test_a_broker_that_is_away_is_logged_and_not_raised(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not publish(url, "exp_1", Queue.GPU)
    assert "exp_1: the broker doesn't take its call" in caplog.text
    assert waiting_calls(url) is None


def test_a_broker_without_memory_is_logged_and_not_raised(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path_factory.mktemp("full")
    broker = EmbeddedRedis(folder, folder)
    url = broker.start()
    client = redis.Redis.from_url(url.replace("redis+socket://", "unix://", 1))
    try:
        client.config_set("maxmemory", "1")
        with caplog.at_level(logging.WARNING):
            assert not publish(url, "exp_1", Queue.GPU)
        assert "exp_1: the broker doesn't take its call" in caplog.text
    finally:
        client.close()
        broker.stop()


def test_what_was_called_for_is_noted(database: Database, experiment: Experiment, broker_url: str) -> None:
    announce(database, "redis://127.0.0.1:1/0", {experiment.id: Queue.GPU})
    with database.session() as session:
        assert experiments.get(session, experiment.id).published_at is None
    announce(database, broker_url, {experiment.id: Queue.GPU})
    with database.session() as session:
        assert experiments.get(session, experiment.id).published_at is not None
