"""Promise 9: SIGTERM drains."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from cli.serve import DRAIN_SECONDS
from db import datasets, experiments, workers
from db.errors import NotFoundError
from db.experiments import NewExperiment
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from db.tables import Dataset
from tests.api.test_stopping import wait_until_polling
from tests.api.trained import publish_trained_model
from tests.cli.service import RunningService, running_service
from tests.reliability.half_sent import HalfSentRequest
from tests.reliability.records import metric_values, scratch_folders
from tests.worker.conftest import Read, Submit, WorkerProcess, wait_until
from tests.worker.jobs import is_open, open_gate

StartWorker = Callable[[], WorkerProcess]
CORPUS = b'{"text": "a b c", "source": "x"}\n{"text": "d e f", "source": "y"}\n'
BOUNDARY = "half-way"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
JSON = "application/json"


@pytest.fixture
def service(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningService]:
    """`sip serve` on the test's servers and store, without a worker."""
    monkeypatch.setenv("SIP_DATABASE_URL", settings.require_database_url())
    monkeypatch.setenv("SIP_BROKER_URL", settings.require_broker_url())
    monkeypatch.setenv("SIP_ARTIFACTS_URL", settings.artifacts_url)
    monkeypatch.setenv("SIP_DEVICE", "cpu")
    with running_service(settings.data_dir, "--workers", "0") as service:
        yield service


@pytest.fixture
def model(database: Database, store: ArtifactStore, dataset: Dataset, tmp_path: Path) -> str:
    """Id of a small model that reads n-grams only."""
    new = NewExperiment(kind="complete", config={}, seed=1, dataset_id=dataset.id)
    with database.session() as session:
        experiment_id = experiments.add(session, new).id
        experiments.request_cancel(session, experiment_id)
    return publish_trained_model(database, store, tmp_path, experiment_id, "lexical")


def test_requests_in_flight_are_answered_and_new_ones_refused(
    service: RunningService, model: str, database: Database
) -> None:
    question = json.dumps({"model": model, "input": ["The ship was older than anyone remembered."]}).encode()
    warm = httpx.post(
        f"{service.url}/classify",
        content=question,
        headers={"Content-Type": JSON},
        timeout=120,
        trust_env=False,
    )
    assert warm.status_code == 200, warm.text
    with (
        HalfSentRequest(service.url, "/datasets", FORM, _multipart("late", CORPUS)) as upload,
        HalfSentRequest(service.url, "/classify", JSON, question) as classify,
        ThreadPoolExecutor(1) as pool,
    ):
        poll = pool.submit(httpx.get, f"{service.url}/metrics?wait=30", timeout=40, trust_env=False)
        wait_until_polling(database)
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not _accepts(service.url), "new connections are refused", seconds=10)
        time.sleep(DRAIN_SECONDS / 3)  # requests in flight have time, not just the moment a stop takes
        status, answer = classify.finish()
        assert status == 200, answer
        assert answer["results"] == warm.json()["results"]
        status, answer = upload.finish()
        # reading a corpus may take longer than a stop: it is refused as a whole, in words
        assert (status, answer["detail"]) == (503, "The service is stopping; nothing was kept.")
        waited = poll.result(timeout=10)
        assert (waited.status_code, waited.json()["data"]) == (200, [])
    assert service.process.wait(20) == 0
    with pytest.raises(NotFoundError), database.session() as session:
        datasets.get(session, "late")


def test_a_running_experiment_goes_back_to_the_queue_with_its_checkpoint(
    start_worker: StartWorker,
    submit: Submit,
    read: Read,
    database: Database,
    store: ArtifactStore,
    settings: Settings,
    gates: Path,
) -> None:
    worker = start_worker()
    experiment_id = submit("step-through-gates")
    open_gate(gates, "step-0")
    open_gate(gates, "step-1")
    wait_until(lambda: is_open(gates, "done-1-in-1"), "two of three steps are done")
    worker.send(signal.SIGTERM)
    assert worker.wait(20) == 0
    row = read(experiment_id)
    assert (row.status, row.crashes, row.claim_token, row.error_type) == ("queued", 0, None, None)
    assert row.checkpoint_key is not None
    assert store.local_path(row.checkpoint_key, row.checkpoint_sha256).read_text() == "2"
    assert scratch_folders(settings) == []
    with database.session() as session:
        assert not workers.seen(session, 60)
    open_gate(gates, "step-2")
    start_worker()
    wait_until(lambda: read(experiment_id).status == "succeeded", "the next worker finishes it")
    row = read(experiment_id)
    assert (row.attempt, row.crashes, row.resumed_from_step, row.checkpoint_key) == (2, 0, 2, None)
    assert metric_values(database, experiment_id) == [("train/loss", s, 1.0 / (s + 1)) for s in range(3)]
    done = [gate.name for gate in sorted(gates.glob("done-*"))]
    assert done == ["done-0-in-1", "done-1-in-1", "done-2-in-2"]


def test_an_experiment_without_checkpoints_goes_back_to_the_queue_at_no_cost(
    start_worker: StartWorker, submit: Submit, read: Read, gates: Path
) -> None:
    worker = start_worker()
    experiment_id = submit("wait")
    wait_until(lambda: is_open(gates, "started-1"), "the job runs")
    worker.send(signal.SIGTERM)
    assert worker.wait(20) == 0
    row = read(experiment_id)
    assert (row.status, row.crashes, row.claim_token) == ("queued", 0, None)
    open_gate(gates, "go")
    start_worker()
    wait_until(lambda: read(experiment_id).status == "succeeded", "the next worker finishes it")
    assert read(experiment_id).attempt == 2


def _accepts(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def _multipart(name: str, corpus: bytes) -> bytes:
    return (
        (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="c.jsonl"\r\n\r\n'
        ).encode()
        + corpus
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )
