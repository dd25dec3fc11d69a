"""The pages in a real Chromium: first paint, an experiment of 100,000 values, and what open pages cost.

    python -m benchmarks.pages [--repetitions 9] [--seconds 60]

Paint is measured beside that of a page of one line, the long curve beside a short one, in turns; the cost is
the CPU time of the API's process, with pages and without. Writes benchmarks/pages.json and
docs/pages-cost.md. Exits with 1 unless every first paint came within a second, the long experiment is drawn
within three times the time of the short one, and 20 open pages cost less than 5 % of a core.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.machine import describe_machine, library_versions
from benchmarks.metrics_service import MetricsService, running_service
from benchmarks.pages_browser import bare_page, curve_ms, first_paint_ms, open_pages
from benchmarks.pages_page import PAGE, PAGES_JSON, write_page
from benchmarks.pages_service import Run, add_corpus, cpu_of, postmaster, serving
from tests.web.browser import find_chromium

NUM_VALUES = 100_000
NUM_SHORT = 100
NUM_PAGES = 20
NUM_QUEUED = 48
"""Further experiments, so that a page of the list has its 50 rows."""
WRITE_SECONDS = 1.0
MAX_PAINT_MS = 1000.0
MAX_CURVE_RATIO = 3.0
MAX_CPU_SHARE = 0.05


def main() -> int:
    """Measure, write, and say what isn't as promised."""
    arguments = _parser().parse_args()
    with running_service(None) as service, sync_playwright() as playwright:
        add_corpus(service, NUM_QUEUED)
        runs = {"long": Run(service, NUM_VALUES), "short": Run(service, NUM_SHORT)}
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        results = {
            "command": f"python -m benchmarks.pages --repetitions {arguments.repetitions} "
            f"--seconds {arguments.seconds:g}",
            "machine": describe_machine(),
            "versions": {
                **library_versions(("source-identification", "fastapi", "uvicorn", "plotly", "playwright")),
                "chromium": browser.version,
            },
            "first_paint_ms": measure_paint(browser, service, arguments.repetitions),
            "curve_ms": measure_curves(browser, service, runs, arguments.repetitions),
            "cpu_seconds_per_second": measure_cost(browser, service, runs["long"], arguments.seconds),
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
    slowest = max(results["first_paint_ms"]["pages"])
    if slowest >= MAX_PAINT_MS:
        yield f"expected every first paint within {MAX_PAINT_MS:g} ms, found {slowest:.0f}"
    drawn = results["curve_ms"]["drawn"]
    ratio = statistics.median(drawn["long"]) / statistics.median(drawn["short"])
    if ratio >= MAX_CURVE_RATIO:
        yield f"expected the long curve within {MAX_CURVE_RATIO:g} times the short one, found {ratio:.2f}"
    share = results["cpu_seconds_per_second"]["api"]
    if share >= MAX_CPU_SHARE:
        yield f"expected {NUM_PAGES} pages for less than {MAX_CPU_SHARE:.0%} of a core, found {share:.1%}"


def measure_paint(browser: Browser, service: MetricsService, repetitions: int) -> dict[str, list[float]]:
    """First paints of our first page and of a bare one, in turns."""
    found: dict[str, list[float]] = {"pages": [], "bare": []}
    with bare_page() as bare:
        for _ in range(repetitions):
            found["bare"].append(first_paint_ms(browser, bare))
            found["pages"].append(first_paint_ms(browser, f"{service.url}/"))
    return found


def measure_curves(
    browser: Browser, service: MetricsService, runs: dict[str, Run], repetitions: int
) -> dict[str, dict[str, list[float]]]:
    """Until a curve is drawn, and until it says the value under the mouse: long and short, in turns."""
    drawn: dict[str, list[float]] = {name: [] for name in runs}
    under_mouse: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, run in runs.items():
            until_drawn, until_said = curve_ms(browser, f"{service.url}/#/experiments/{run.id}")
            drawn[name].append(until_drawn)
            under_mouse[name].append(until_said)
    return {"drawn": drawn, "under_mouse": under_mouse}


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
    """CPU seconds per second of both, the latter with the processes of its connections."""
    before, started = (cpu_of(api), cpu_of(postgres)), time.perf_counter()
    time.sleep(seconds)
    passed = time.perf_counter() - started
    after = (cpu_of(api), cpu_of(postgres))
    rates = [
        sum(spent - then.get(pid, 0.0) for pid, spent in now.items()) / passed
        for then, now in zip(before, after, strict=True)
    ]
    return rates[0], rates[1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long open pages are watched")
    parser.add_argument("--page", type=Path, default=PAGE)
    return parser


if __name__ == "__main__":
    sys.exit(main())
