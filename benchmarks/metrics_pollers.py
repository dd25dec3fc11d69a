"""Many clients that wait for the metrics of a job that writes: who sees what, and how late.

    python -m benchmarks.metrics_pollers [--clients 50] [--seconds 120] [--per-second 20] [--folder FOLDER]

A process hands values to a worker's reporter, as a job does; each value is the time it was handed over.
Clients poll `GET /metrics?wait=20` from another process. Writes benchmarks/metrics_pollers.json and
docs/metrics.md. Exits with 1 unless every client sees every row once, with a median delay under a second.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.machine import describe_machine, library_versions
from benchmarks.metrics_page import POLLERS_JSON, write_page
from benchmarks.metrics_service import running_service
from db import claims, experiments
from db.claims import Claim
from db.experiments import NewExperiment
from db.metrics import NewMetric
from db.session import Database
from worker.reporter import Reporter

MAX_MEDIAN_SECONDS = 1.0
WAIT_SECONDS = 20
NAME = "train/loss"
LEASE_SECONDS = 600.0


def main() -> int:
    arguments = _parser().parse_args()
    with running_service(arguments.folder) as service:
        url = service.settings.require_database_url()
        database = Database(url)
        claim = _claim(database)
        spawn = multiprocessing.get_context("spawn")
        writer = spawn.Process(
            target=write_values, args=(url, claim, arguments.seconds, arguments.per_second), daemon=True
        )
        writer.start()
        seen = asyncio.run(_poll_all(service.url, claim.experiment_id, arguments.clients))
        writer.join()
        database.close()
    results = {
        "command": f"python -m benchmarks.metrics_pollers --clients {arguments.clients} "
        f"--seconds {arguments.seconds:g} --per-second {arguments.per_second:g}",
        "machine": describe_machine(),
        "versions": library_versions(
            ("source-identification", "sqlalchemy", "psycopg", "fastapi", "uvicorn")
        ),
        "clients": arguments.clients,
        "seconds": arguments.seconds,
        **summary_of(seen, round(arguments.seconds * arguments.per_second)),
    }
    POLLERS_JSON.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_page(arguments.page)
    print(json.dumps(results, indent=1))
    problems = list(problems_of(results))
    for problem in problems:
        print(f"NOT SO: {problem}")
    return int(bool(problems))


def problems_of(results: dict[str, Any]) -> Iterator[str]:
    """What isn't as it should be."""
    for what in ("missed", "repeated"):
        if results[what]:
            yield f"expected no row {what}, found {results[what]}"
    median = results["handed_over_to_received_seconds"]["p50"]
    if median >= MAX_MEDIAN_SECONDS:
        yield f"expected a median delay under {MAX_MEDIAN_SECONDS:g} s, found {median:.2f}"


class Seen:
    """What one client has seen."""

    def __init__(self) -> None:
        self.steps: Counter[int] = Counter()
        self.after_handing_over: list[float] = []
        self.after_recording: list[float] = []
        self.requests = 0

    def add(self, rows: list[dict[str, Any]], now: float) -> None:
        """Take in a page that was received at `now`."""
        self.requests += 1
        for row in rows:
            self.steps[row["step"]] += 1
            self.after_handing_over.append(now - row["value"])
            self.after_recording.append(now - datetime.fromisoformat(row["recorded_at"]).timestamp())


def summary_of(seen: list[Seen], num_rows: int) -> dict[str, Any]:
    """Rows missed and repeated by all clients together, and the delays of all rows at all clients."""
    return {
        "rows": num_rows,
        "requests": sum(client.requests for client in seen),
        "missed": sum(num_rows - len(client.steps) for client in seen),
        "repeated": sum(client.steps.total() - len(client.steps) for client in seen),
        "handed_over_to_received_seconds": _delays([d for client in seen for d in client.after_handing_over]),
        "recorded_to_received_seconds": _delays([d for client in seen for d in client.after_recording]),
    }


def write_values(database_url: str, claim: Claim, seconds: float, per_second: float) -> None:
    """Hand over a value every now and then, through a worker's reporter; then end the experiment."""
    database = Database(database_url)
    reporter = Reporter(database, claim, "none", LEASE_SECONDS)
    reporter.start()
    begun = time.monotonic()
    for step in range(round(seconds * per_second)):
        time.sleep(max(0.0, begun + step / per_second - time.monotonic()))
        reporter.metric(NewMetric(name=NAME, value=time.time(), step=step))
    reporter.close()
    with database.session() as session:
        claims.succeed(session, claim, artifacts=[], model=None)
    database.close()


def _claim(database: Database) -> Claim:
    with database.session() as session:
        new = NewExperiment(kind="train", config={}, seed=0, dataset_id=None)
        experiment_id = experiments.add(session, new).id
    with database.session() as session:
        claim = claims.claim(session, experiment_id, "benchmark", LEASE_SECONDS)
    assert claim is not None
    return claim


async def _poll_all(url: str, experiment: str, clients: int) -> list[Seen]:
    # an idle connection is given up before the server closes it
    limits = httpx.Limits(max_connections=None, keepalive_expiry=2.0)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, limits=limits) as http:
        return await asyncio.gather(*(_poll(http, experiment) for _ in range(clients)))


async def _poll(http: httpx.AsyncClient, experiment: str) -> Seen:
    """Poll until the experiment has ended and nothing more comes."""
    seen = Seen()
    query: dict[str, str | int] = {"experiment": experiment, "wait": WAIT_SECONDS}
    while True:
        started = time.monotonic()
        response = await http.get("/metrics", params=query)
        response.raise_for_status()
        page = response.json()
        seen.add(page["data"], time.time())
        query["since"] = page["next_since"]
        # an empty answer before its time: no row can follow
        if not page["data"] and time.monotonic() - started < WAIT_SECONDS:
            return seen


def _delays(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(seconds)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Many clients that wait for the metrics of a job that writes."
    )
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the job writes")
    parser.add_argument("--per-second", type=float, default=20.0, help="values it hands over")
    parser.add_argument("--folder", type=Path, help="where the database is made; else the temporary folder")
    parser.add_argument("--page", type=Path, default=Path("docs/metrics.md"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
