"""Sends the storm's jobs: real ones as requests to the service, its own kind as rows and wake-up calls."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

from db import experiments
from db.errors import DatabaseUnavailableError
from db.experiments import NewExperiment
from db.publisher import announce
from db.session import Database
from db.settings import Settings
from db.states import Queue
from tests.storm.jobs import KIND, StormConfig, dump

TRAIN_CONFIG = {
    "identifier": {"features": "lexical"},
    "training": {"epochs": 3, "checkpoint_seconds": 0.1},
}
TRAIN_SEEDS = 2
"""Real jobs of the same seed must end with the same numbers."""
_TRAIN_SHARE = 0.1
_RETRY_SECONDS = 0.5
_PATIENCE_SECONDS = 180.0


@dataclass
class Submission:
    """A thread that submits `num_jobs` jobs, spread over `seconds`.

    Args:
        url: of the service.
        dataset: the name and the id of the jobs' dataset.
    """

    settings: Settings
    database: Database
    url: str
    dataset: tuple[str, str]
    num_jobs: int
    seconds: float
    generator: random.Random
    accepted: dict[str, str] = field(default_factory=dict)
    """Name of a job → the id it was given."""
    answers: Counter[str] = field(default_factory=Counter)
    """What requests were answered with: a status, or the name of what the client raised."""
    failure: Exception | None = None

    def start(self) -> None:
        """Begin to submit."""
        self._thread = threading.Thread(target=self._submit_all, name="submission")
        self._thread.start()

    def finish(self) -> None:
        """Wait until everything is submitted; raises what went wrong with that."""
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _submit_all(self) -> None:
        began = time.monotonic()
        moments = sorted(self.generator.uniform(0, self.seconds) for _ in range(self.num_jobs))
        try:
            with httpx.Client(base_url=self.url, trust_env=False, timeout=20) as client:
                for number, moment in enumerate(moments):
                    time.sleep(max(0.0, began + moment - time.monotonic()))
                    name = f"storm-{number:04}"
                    if self.generator.random() < _TRAIN_SHARE:
                        self.accepted[name] = self._request(client, name, number % TRAIN_SEEDS)
                    else:
                        self.accepted[name] = self._insert(name, number)
        except Exception as error:  # noqa: BLE001 - raised again by `finish`
            self.failure = error

    def _request(self, client: httpx.Client, name: str, seed: int) -> str:
        """POST it until it is accepted; the key makes one experiment of however many requests."""
        body = {
            "kind": "train",
            "name": name,
            "dataset": self.dataset[0],
            "config": TRAIN_CONFIG,
            "seed": seed,
        }
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                response = client.post("/experiments", json=body, headers={"Idempotency-Key": name})
            except httpx.TransportError as error:
                self.answers[type(error).__name__] += 1
            else:
                self.answers[str(response.status_code)] += 1
                if response.status_code == 202:
                    return str(response.json()["id"])
                if response.status_code != 503:
                    raise RuntimeError(f"{name}: expected 202 or 503, found {response.text}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name}: not accepted within {_PATIENCE_SECONDS:g} s")
            time.sleep(_RETRY_SECONDS)

    def _insert(self, name: str, seed: int) -> str:
        config = StormConfig(steps=self.generator.randint(4, 20), seconds=self.generator.uniform(1.0, 6.0))
        new = NewExperiment(kind=KIND, name=name, config=dump(config), seed=seed, dataset_id=self.dataset[1])
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                with self.database.session() as session:
                    # the answer to an earlier commit may have been lost
                    found = experiments.page(session, name=name).rows
                    row = found[0] if found else experiments.add(session, new)
                break
            except DatabaseUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)
        announce(self.database, self.settings.require_broker_url(), {row.id: Queue(row.queue)})
        return row.id
