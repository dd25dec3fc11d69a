"""`GET /metrics` on millions of rows: pages, polls, their plans, and how fast rows are written.

    python -m benchmarks.metrics_scale [--rows 5000000] [--requests 100] [--folder FOLDER]

Rows are written as workers write them, under claims; then every page and poll is asked for over HTTP. Writes
benchmarks/metrics_scale.json and docs/metrics.md. Exits with 1 when a 95th percentile or the rate misses its
bound, or when a plan reads the whole table.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from benchmarks.machine import describe_machine, library_versions
from benchmarks.metrics_cases import Case, cases
from benchmarks.metrics_page import SCALE_JSON, write_page
from benchmarks.metrics_peers import insert_one_by_one, page_by_offset
from benchmarks.metrics_plans import plan_of
from benchmarks.metrics_rows import ROWS_PER_EXPERIMENT, Writer
from benchmarks.metrics_service import running_service
from db.session import Database

MAX_MILLISECONDS = 50.0
LEAST_ROWS_PER_SECOND = 10_000.0
LAST_EXPERIMENTS = 20
"""Those written at the full size, whose rate counts."""
WARM_UP = 5


def main() -> int:
    arguments = _parser().parse_args()
    with running_service(arguments.folder) as service:
        database = Database(service.settings.require_database_url())
        try:
            results = _measure(database, service.url, arguments.rows, arguments.requests)
        finally:
            database.close()
    results = {
        "command": f"python -m benchmarks.metrics_scale --rows {arguments.rows}",
        "machine": describe_machine(),
        "versions": library_versions(
            ("source-identification", "sqlalchemy", "psycopg", "fastapi", "uvicorn")
        ),
        **results,
    }
    SCALE_JSON.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_page(arguments.page)
    problems = list(problems_of(results))
    for problem in problems:
        print(f"NOT SO: {problem}")
    return int(bool(problems))


def problems_of(results: dict[str, Any]) -> Iterator[str]:
    """What misses its bound."""
    if results["written"]["rows_per_second"] < LEAST_ROWS_PER_SECOND:
        yield (
            f"writing: expected {LEAST_ROWS_PER_SECOND:g} rows/s, "
            f"found {results['written']['rows_per_second']:.0f}"
        )
    for each in results["requests"]:
        if each["p95_ms"] >= MAX_MILLISECONDS:
            yield f"{each['name']}: expected p95 under {MAX_MILLISECONDS:g} ms, found {each['p95_ms']:.1f}"
        if each["reads_whole_table"]:
            yield f"{each['name']}: its plan reads the whole table"


def _measure(database: Database, url: str, rows: int, requests: int) -> dict[str, Any]:
    num_experiments = max(LAST_EXPERIMENTS, rows // ROWS_PER_EXPERIMENT)
    writer = Writer(database, rows // num_experiments)
    started = time.monotonic()
    num_rows = writer.write(num_experiments - LAST_EXPERIMENTS)
    print(f"{num_rows} rows in {time.monotonic() - started:.0f} s", flush=True)
    started = time.monotonic()
    last = writer.write(LAST_EXPERIMENTS)
    rate = last / (time.monotonic() - started)
    print(f"the last {last} rows: {rate:.0f} rows/s", flush=True)
    one_by_one = insert_one_by_one(database)
    with database.session() as session:
        session.execute(text("ANALYZE"))
        sizes = session.execute(text("SELECT count(*), max(id) FROM metrics")).one()
        series = session.scalar(text("SELECT count(*) FROM metric_series"))
        num_bytes = session.scalar(text("SELECT pg_total_relation_size('metrics')"))
        version = session.scalar(text("SHOW server_version"))
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        measured = [
            _ask(client, database, case, requests)
            for case in cases(writer.experiments, writer.parents, sizes[1])
        ]
    deep = next(each for each in measured if each["name"] == "everything, from the middle")
    return {
        "postgresql": version,
        "rows": sizes[0],
        "series": series,
        "experiments": num_experiments,
        "table_bytes": num_bytes,
        "written": {"rows": last, "rows_per_second": rate, "one_by_one_rows_per_second": one_by_one},
        "offset_page_ms": page_by_offset(database, sizes[0] // 2),
        "cursor_page_ms": deep["p50_ms"],
        "requests": measured,
    }


def _ask(client: httpx.Client, database: Database, case: Case, requests: int) -> dict[str, Any]:
    milliseconds = []
    for number in range(WARM_UP + requests):
        started = time.perf_counter()
        response = client.get("/metrics", params=case.query)
        took = time.perf_counter() - started
        response.raise_for_status()
        if number >= WARM_UP:
            milliseconds.append(took * 1000)
    plan = plan_of(database, case)
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    page = response.json()
    found = {
        "name": case.name,
        "rows": len(page["data"]),
        "has_more": page["has_more"],
        "p50_ms": cuts[49],
        "p95_ms": cuts[94],
        "indexes": plan.indexes,
        "reads_whole_table": plan.reads_whole_table,
    }
    print(
        f"{case.name:45}{found['rows']:6}{cuts[49]:9.1f}{cuts[94]:9.1f} ms  {' '.join(plan.indexes)}",
        flush=True,
    )
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="`GET /metrics` on millions of rows.")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--requests", type=int, default=100, help="of each page and poll")
    parser.add_argument("--folder", type=Path, help="where the database is made; else the temporary folder")
    parser.add_argument("--page", type=Path, default=Path("docs/metrics.md"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
