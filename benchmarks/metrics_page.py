"""docs/metrics.md from what benchmarks/metrics_scale.py and benchmarks/metrics_pollers.py have measured."""

import json
from pathlib import Path
from typing import Any

SCALE_JSON = Path("benchmarks/metrics_scale.json")
POLLERS_JSON = Path("benchmarks/metrics_pollers.json")


def write_page(path: Path) -> None:
    """Write the page of the measurements that lie beside this file."""
    sections = [
        section(json.loads(source.read_text(encoding="utf-8")))
        for source, section in ((SCALE_JSON, scale_section), (POLLERS_JSON, pollers_section))
        if source.exists()
    ]
    head = (
        "# Metrics at scale\n\n"
        "This page is made by two scripts, which fail when a bound is missed; don't edit it."
    )
    path.write_text("\n\n".join([head, *sections]) + "\n", encoding="utf-8")


def scale_section(results: dict[str, Any]) -> str:
    """Pages and polls on a large table, and how fast it is written."""
    written = results["written"]
    rows = "\n".join(
        f"| {each['name']} | {each['rows']} | {each['p50_ms']:.1f} | {each['p95_ms']:.1f} "
        f"| {', '.join(f'`{name}`' for name in each['indexes'])} |"
        for each in results["requests"]
    )
    slowest = max(each["p95_ms"] for each in results["requests"])
    return (
        f"## Pages, polls and writing\n\n```sh\n{results['command']}\n```\n\n"
        f"{results['rows']:,} rows in {results['series']:,} series of {results['experiments']:,} experiments "
        f"({results['table_bytes'] / 2**30:.1f} GiB with indexes), in PostgreSQL {results['postgresql']} "
        "with its default settings.\n\n"
        f"- **Slowest p95** of all requests below, over HTTP: {slowest:.1f} ms.\n"
        f"- **Writing**, under claims and in a worker's batches, the last {written['rows']:,} rows: "
        f"{written['rows_per_second']:,.0f} rows/s, "
        f"{written['rows_per_second'] / written['one_by_one_rows_per_second']:.1f} × as fast as "
        "`executemany` of one INSERT for each row.\n"
        f"- **A page from the middle** takes {results['cursor_page_ms']:.1f} ms over HTTP (median); "
        f"with `OFFSET`, the database alone takes "
        f"{results['offset_page_ms'] / results['cursor_page_ms']:.0f} × as long.\n\n"
        f"Pages of 1000 rows; p50 and p95 in milliseconds, one client.\n\n"
        f"| request | rows | p50 | p95 | indexes in its plans |\n| --- | --- | --- | --- | --- |\n{rows}\n\n"
        f"{_machine(results)}"
    )


def pollers_section(results: dict[str, Any]) -> str:
    """How late clients that wait see what a job writes."""
    total, stored = results["handed_over_to_received_seconds"], results["recorded_to_received_seconds"]
    rows = "\n".join(
        f"| {name} | {delay['p50']:.3f} | {delay['p95']:.3f} | {delay['p99']:.3f} | {delay['max']:.3f} |"
        for name, delay in (("handed over by the job", total), ("recorded in the database", stored))
    )
    return (
        f"## Clients that wait\n\n```sh\n{results['command']}\n```\n\n"
        f"{results['clients']} clients poll `GET /metrics?wait=20` for {results['seconds']:g} s while a job "
        f"writes {results['rows']:,} rows; workers write twice a second. Rows missed: {results['missed']}, "
        f"repeated: {results['repeated']}, requests: {results['requests']:,}.\n\n"
        "| seconds until received, since | p50 | p95 | p99 | longest |\n| --- | --- | --- | --- | --- |\n"
        f"{rows}\n\n"
        f"{_machine(results)}"
    )


def _machine(results: dict[str, Any]) -> str:
    machine, versions = results["machine"], results["versions"]
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB of memory, "
        f"{machine['system']}; Python {machine['python']}, {libraries}. Clients, service and database share "
        "the machine."
    )
