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
The first paint of a page of one line, without style or script, from a server that does nothing else, was
measured in turns with ours: ours comes after {paint:.1f} × the time. Times are medians. The machine was busy
with other work too, which is why each stands beside one that was measured in turns with it, and why the cost
is the CPU time of the processes alone. Of the open pages half show the list of 50 experiments, half an
experiment that writes a value each second; all are visible (a hidden page asks for nothing).

{machine}
"""


def write_page(results: dict[str, Any], path: Path) -> None:
    """Write the page."""
    paint, curve, cost = (results[key] for key in ("first_paint_ms", "curve_ms", "cpu_seconds_per_second"))
    in_time = sum(each < 1000 for each in paint["pages"])
    rows = (
        (
            "first paint within a second",
            f"{in_time} of {len(paint['pages'])}, each in a fresh profile; "
            f"the slowest after {max(paint['pages']) / 1000:.2f} s",
        ),
        (
            "a page of 100,000 values is usable",
            f"drawn after {_ratio(curve['drawn']):.2f} × the time of one of 100 values; the value under the "
            f"mouse shown after {_ratio(curve['under_mouse']):.2f} × the time",
        ),
        (
            f"{cost['pages']} open pages cost the API less than 5 %",
            f"{cost['api']:.1%} of a core, {cost['api_without_pages']:.1%} with none open; "
            f"PostgreSQL {cost['postgresql']:.1%} and {cost['postgresql_without_pages']:.1%}",
        ),
    )
    paint_ratio = statistics.median(paint["pages"]) / statistics.median(paint["bare"])
    text = (
        HEAD.format(command=results["command"])
        + "".join(f"| {promised} | {found} |\n" for promised, found in rows)
        + TAIL.format(paint=paint_ratio, machine=_machine(results))
    )
    path.write_text(text, encoding="utf-8")


def _ratio(times: dict[str, list[float]]) -> float:
    return statistics.median(times["long"]) / statistics.median(times["short"])


def _machine(results: dict[str, Any]) -> str:
    machine, versions = results["machine"], results["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB of memory, "
        f"{machine['system']}; Python {machine['python']}, {named}. "
        "Browser, service and database share the machine."
    )
