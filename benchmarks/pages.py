"""The pages in a real Chromium: first paint, an experiment of 100,000 values, and what open pages cost.

    python -m benchmarks.pages [--repetitions 9] [--seconds 60]

Paint is measured beside that of a page of one line, the long curve beside a short one, in turns, by the clock
and in CPU time of browser and service, which other work on the machine stretches less. The cost of open pages
is the CPU time of the API's process. Writes benchmarks/pages.json and docs/pages-cost.md. Exits with 1 unless
a first paint takes less than a CPU second, the long experiment less than thrice as much as the short one, and
20 open pages less than 5 % of a core.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.cpu import CpuMeter, chromium_of_this
from benchmarks.machine import describe_machine, library_versions
from benchmarks.metrics_service import MetricsService, running_service
from benchmarks.pages_browser import bare_page, curve, first_paint, open_pages
from benchmarks.pages_page import PAGE, PAGES_JSON, median_of, write_page
from benchmarks.pages_service import Run, add_corpus, postmaster, serving
from tests.web.browser import find_chromium

NUM_VALUES = 100_000
NUM_SHORT = 100
NUM_PAGES = 20
NUM_QUEUED = 48
"""Further experiments, so that a page of the list has its 50 rows."""
WRITE_SECONDS = 1.0
MAX_PAINT_CPU_SECONDS = 1.0
MAX_CURVE_RATIO = 3.0
MAX_CPU_SHARE = 0.05


def main() -> int:
    """Measure, write, and say what isn't as promised."""
    arguments = _parser().parse_args()
    with running_service(None) as service, sync_playwright() as playwright:
        add_corpus(service, NUM_QUEUED)
        runs = {"long": Run(service, NUM_VALUES), "short": Run(service, NUM_SHORT)}
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        processes = [*chromium_of_this(), serving(service.url)]
        results = {
            "command": f"python -m benchmarks.pages --repetitions {arguments.repetitions} "
            f"--seconds {arguments.seconds:g}",
            "machine": describe_machine(),
            "versions": {
                **library_versions(("source-identification", "fastapi", "uvicorn", "plotly", "playwright")),
                "chromium": browser.version,
            },
            "first_paint": measure_paint(browser, service, processes, arguments.repetitions),
            "curve": measure_curves(browser, service, runs, processes, arguments.repetitions),
            "cost": measure_cost(browser, service, runs["long"], arguments.seconds),
        }
        browser.close()
        for run in runs.values():
            run.close()
    PAGES_JSON.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_page(results, arguments.page)
    print(json.dumps(results, indent=1))
    problems = list(problems_of(results))
    for problem in problems:
        print(f"NOT SO: {problem}")
    return int(bool(problems))


def problems_of(results: dict[str, Any]) -> Iterator[str]:
    """What isn't as it should be."""
    paint = median_of(results["first_paint"]["pages"], "cpu_seconds")
    if paint >= MAX_PAINT_CPU_SECONDS:
        yield f"expected a first paint within {MAX_PAINT_CPU_SECONDS:g} CPU seconds, found {paint:.2f}"
    drawn = results["curve"]["drawn"]
    ratio = median_of(drawn["long"], "cpu_seconds") / median_of(drawn["short"], "cpu_seconds")
    if ratio >= MAX_CURVE_RATIO:
        yield f"expected the long curve within {MAX_CURVE_RATIO:g} times the short one, found {ratio:.2f}"
    share = results["cost"]["api"]
    if share >= MAX_CPU_SHARE:
        yield f"expected {NUM_PAGES} pages for less than {MAX_CPU_SHARE:.0%} of a core, found {share:.1%}"


def measure_paint(
    browser: Browser, service: MetricsService, processes: Sequence[psutil.Process], repetitions: int
) -> dict[str, list[dict[str, float]]]:
    """First paints of our first page and of a bare one, in turns."""
    found: dict[str, list[dict[str, float]]] = {"pages": [], "bare": []}
    with bare_page() as bare:
        for _ in range(repetitions):
            for name, address in (("bare", bare), ("pages", f"{service.url}/")):
                found[name].append(first_paint(browser, address, processes)._asdict())
    return found


def measure_curves(
    browser: Browser,
    service: MetricsService,
    runs: dict[str, Run],
    processes: Sequence[psutil.Process],
    repetitions: int,
) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Until a curve is drawn, and until it says the value under the mouse: long and short, in turns."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {
        what: {name: [] for name in runs} for what in ("drawn", "under_mouse")
    }
    for _ in range(repetitions):
        for name, run in runs.items():
            took = curve(browser, f"{service.url}/#/experiments/{run.id}", processes)
            for what, each in zip(found, took, strict=True):
                found[what][name].append(each._asdict())
    return found


def measure_cost(
    browser: Browser, service: MetricsService, run: Run, seconds: float
) -> dict[str, float | int]:
    """CPU seconds per second of the API and of PostgreSQL, with the pages open and before that.

    Half of the pages show the list, half an experiment that writes a value each second.
    """
    addresses = [
        f"{service.url}/#/experiments" + (f"/{run.id}" if number % 2 else "") for number in range(NUM_PAGES)
    ]
    api, postgres = serving(service.url), postmaster(service)
    with run.writing(WRITE_SECONDS):
        without = _cpu_rates(api, postgres, seconds)
        with open_pages(browser, addresses):
            opened = _cpu_rates(api, postgres, seconds)
    return {
        "pages": NUM_PAGES,
        "api": opened[0],
        "api_without_pages": without[0],
        "postgresql": opened[1],
        "postgresql_without_pages": without[1],
    }


def _cpu_rates(api: psutil.Process, postgres: psutil.Process, seconds: float) -> tuple[float, float]:
    meters, started = [CpuMeter([each]) for each in (api, postgres)], time.perf_counter()
    time.sleep(seconds)
    passed = time.perf_counter() - started
    of_api, of_postgres = (meter.seconds() / passed for meter in meters)
    return of_api, of_postgres


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long open pages are watched")
    parser.add_argument("--page", type=Path, default=PAGE)
    return parser


if __name__ == "__main__":
    sys.exit(main())
