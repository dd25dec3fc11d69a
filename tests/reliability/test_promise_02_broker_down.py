"""Promise 2: a broker that is down loses and refuses nothing."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from db.session import Database
from db.tables import Dataset
from tests.reliability.proxied import StartProxied
from tests.reliability.proxy import Proxy
from tests.reliability.records import metric_values
from tests.worker.conftest import Read, wait_until

ANSWERED_SECONDS = 3.0
RUN_SECONDS = 30.0
AT_ONCE = 8

Cut = Callable[[Proxy], None]
cuts = pytest.mark.parametrize("cut", [Proxy.refuse, Proxy.black_hole], ids=lambda cut: cut.__name__)


def post(client: httpx.Client) -> str:
    """Queue a job over HTTP; returns its id."""
    wanted = {"kind": "train", "dataset": "lines", "config": {"identifier": {"features": "lexical"}}}
    since = time.monotonic()
    answer = client.post("/experiments", json=wanted)
    assert answer.status_code == 202, answer.text
    assert time.monotonic() - since < ANSWERED_SECONDS
    return str(answer.json()["id"])


@cuts
def test_a_job_posted_while_the_broker_is_away_runs_once_when_it_is_back(
    cut: Cut,
    client: httpx.Client,
    start_proxied: StartProxied,
    broker_proxy: Proxy,
    dataset: Dataset,
    read: Read,
    database: Database,
) -> None:
    start_proxied()
    wait_until(lambda: client.get("/health/ready").json()["status"] == "ok", "every part is there")
    cut(broker_proxy)
    experiment_id = post(client)
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["checks"]["broker"]["status"] == "down"
    assert (read(experiment_id).status, read(experiment_id).published_at) == ("queued", None)
    broker_proxy.pass_on()
    wait_until(lambda: read(experiment_id).status == "succeeded", "the job runs", RUN_SECONDS)
    assert (read(experiment_id).attempt, read(experiment_id).crashes) == (1, 0)
    assert len(metric_values(database, experiment_id)) == 5
    assert client.get("/health/ready").json()["checks"]["broker"]["status"] == "ok"


@cuts
def test_many_posts_at_once_are_all_taken_in_time_while_the_broker_is_away(
    cut: Cut, client: httpx.Client, broker_proxy: Proxy, dataset: Dataset, read: Read
) -> None:
    post(client)  # its connection to the broker stays
    cut(broker_proxy)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        posted = list(pool.map(lambda _: post(client), range(AT_ONCE)))
    assert [read(experiment_id).status for experiment_id in posted] == ["queued"] * AT_ONCE
