"""What the pages show while they are measured: experiments in a service of its own, one of them writing."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from sqlalchemy import text

from benchmarks.metrics_service import MetricsService
from db import claims
from db.claims import Claim
from db.metrics import NewMetric
from db.session import Database

LEASE_SECONDS = 3600.0
BATCH = 5_000
CORPUS = b"".join(
    json.dumps({"text": f"A text of {source}.", "source": source}).encode() + b"\n" for source in ("a", "b")
)


class Run:
    """A running experiment whose worker is this process."""

    def __init__(self, service: MetricsService, num_values: int) -> None:
        with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client:
            self.id = str(client.post("/experiments", json={"kind": "train", "dataset": "two"}).json()["id"])
        self._database = Database(service.settings.require_database_url())
        with self._database.session() as session:
            claim = claims.claim(session, self.id, "benchmark", LEASE_SECONDS)
        assert claim is not None
        self._claim: Claim = claim
        self._num_values = 0
        for start in range(0, num_values, BATCH):
            self.write(min(BATCH, num_values - start))

    def write(self, num_values: int) -> None:
        """Record the next values of `train/loss`."""
        steps = range(self._num_values, self._num_values + num_values)
        values = [
            NewMetric(name="train/loss", value=1 / (1 + step / 1000), step=step, split="train")
            for step in steps
        ]
        with self._database.session() as session:
            claims.record(session, self._claim, progress=None, new_metrics=values, dataset="two")
        self._num_values += num_values

    @contextmanager
    def writing(self, every_seconds: float) -> Iterator[None]:
        """Within the block a value comes so often, as from a job."""
        stopping = threading.Event()

        def write() -> None:
            while not stopping.wait(every_seconds):
                self.write(1)

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        try:
            yield
        finally:
            stopping.set()
            writer.join()

    def close(self) -> None:
        """Close what it writes through."""
        self._database.close()


def add_corpus(service: MetricsService, num_queued: int) -> None:
    """A dataset of two texts, and experiments on it that nobody runs: a list has many rows."""
    with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client:
        files = {"file": ("two.jsonl", CORPUS)}
        client.post("/datasets", data={"name": "two"}, files=files).raise_for_status()
        for _ in range(num_queued):
            client.post("/experiments", json={"kind": "train", "dataset": "two"}).raise_for_status()


def serving(url: str) -> psutil.Process:
    """The process that listens at `url`."""
    port = httpx.URL(url).port
    return next(
        psutil.Process(each.pid)
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
        and each.laddr
        and each.laddr.port == port
        and each.pid is not None
    )


def postmaster(service: MetricsService) -> psutil.Process:
    """The first process of the service's PostgreSQL."""
    database = Database(service.settings.require_database_url())
    with database.session() as session:
        folder = str(session.scalar(text("SHOW data_directory")))
    database.close()
    return psutil.Process(int((Path(folder) / "postmaster.pid").read_text().split()[0]))
