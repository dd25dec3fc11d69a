"""docs/pages-cost.md from what benchmarks/pages.py has measured."""

import statistics
from pathlib import Path
from typing import Any

PAGES_JSON = Path("benchmarks/pages.json")
PAGE = Path("docs/pages-cost.md")

HEAD = """# What the pages cost

```sh
{command}
```

This page is made by the script, which fails when a bound is missed; don't edit it.

| what is promised | found |
| --- | --- |
"""
TAIL = """
By the clock a page of one line, without style or script and from a server that does nothing else, was
painted after {bare_ms:.0f} ms, ours, in turns with it, after {pages_ms:.0f} ms. Other work on a machine
stretches that, so bounds and ratios are of CPU time, that of the browser with all its processes and of the
API together: on a core of its own a page takes no longer. All are medians. Of the open pages half show the
list of 50 experiments, half an experiment that writes a value each second; all are visible (a hidden page
asks for nothing).

{machine}
"""


def write_page(results: dict[str, Any], path: Path) -> None:
    """Write the page."""
    paint, curve, cost = results["first_paint"], results["curve"], results["cost"]
    rows = (
        (
            "first paint within a second",
            f"{median_of(paint['pages'], 'cpu_seconds'):.2f} CPU seconds in a fresh profile, "
            f"{_ratio(paint, 'pages', 'bare'):.1f} × those of a page of one line",
        ),
        (
            "a page of 100,000 values is usable",
            f"drawn with {_ratio(curve['drawn']):.2f} × the CPU time of one of 100 values; "
            f"the value under the mouse is shown with {_ratio(curve['under_mouse']):.2f} × that time",
        ),
        (
            f"{cost['pages']} open pages cost the API less than 5 %",
            f"{cost['api']:.1%} of a core, {cost['api_without_pages']:.1%} with none open; "
            f"PostgreSQL {cost['postgresql']:.1%} and {cost['postgresql_without_pages']:.1%}",
        ),
    )
    text = (
        HEAD.format(command=results["command"])
        + "".join(f"| {promised} | {found} |\n" for promised, found in rows)
        + TAIL.format(
            bare_ms=median_of(paint["bare"], "ms"),
            pages_ms=median_of(paint["pages"], "ms"),
            machine=_machine(results),
        )
    )
    path.write_text(text, encoding="utf-8")


def median_of(took: list[dict[str, float]], what: str) -> float:
    """The median of `ms` or `cpu_seconds`."""
    return statistics.median(each[what] for each in took)


def _ratio(took: dict[str, list[dict[str, float]]], of: str = "long", to: str = "short") -> float:
    # a hundredth of a second is the finest that is counted
    return median_of(took[of], "cpu_seconds") / max(median_of(took[to], "cpu_seconds"), 0.01)


def _machine(results: dict[str, Any]) -> str:
    machine, versions = results["machine"], results["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB of memory, "
        f"{machine['system']}; Python {machine['python']}, {named}. "
        "Browser, service and database share the machine."
    )
