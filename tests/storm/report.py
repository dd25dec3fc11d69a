"""What happened in a storm, in numbers, and which promises held."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from db.states import Status
from tests.storm import checks
from tests.storm.audit import Change
from tests.storm.checks import Outcome


@dataclass(kw_only=True)
class Course:
    """What the storm did, and how it was answered."""

    blows: Counter[str]
    """What was done → how often."""
    exits: Counter[int]
    """Exit status → how many workers ended with it and were started again."""
    accepted: dict[str, str]
    """Name of a job → the id it was given."""
    answers: Counter[str]
    """What requests for jobs were answered with."""
    final_seconds: float
    """How long the last job took to its end, from the end of all trouble."""
    tidy_seconds: float
    """How long it then took until nothing was left to be deleted."""
    last_statuses: list[int] = field(default_factory=list)
    """Exit statuses of the workers that were left."""


def print_counts(course: Course, outcome: Outcome, record: list[Change]) -> None:
    """Print a table of what happened."""
    rows = outcome.experiments.values()
    given_back = [c for c in record if c.before == Status.RUNNING and c.after != Status.SUCCEEDED]
    lines = {
        **{name: str(count) for name, count in sorted(course.blows.items())},
        "workers that ended and were started again": _histogram(course.exits),
        "answers to POST /experiments": _histogram(course.answers),
        "jobs": f"{len(rows)}: {_histogram(Counter(row.status for row in rows))}",
        "jobs by attempts": _histogram(Counter(row.attempt for row in rows)),
        "jobs by crashes": _histogram(Counter(row.crashes for row in rows)),
        "attempts reaped": str(sum(c.error_type == "WorkerLost" for c in given_back)),
        "attempts whose process died": str(sum(c.error_type == "ProcessDied" for c in given_back)),
        "jobs resumed from a checkpoint": str(sum(r.resumed_from_step is not None for r in rows)),
        "metric rows": str(sum(map(len, outcome.metrics.values()))),
        "files": str(len(outcome.files)),
        "seconds until all was final": f"{course.final_seconds:.0f}",
        "seconds until all was tidy": f"{course.tidy_seconds:.0f}",
    }
    for name, value in lines.items():
        print(f"{name:<45} {value}")
    print(flush=True)


def broken_promises(
    course: Course, outcome: Outcome, record: list[Change], max_attempts: int
) -> dict[str, list[str]]:
    """Promise → what broke it; an empty list where it held."""
    stopped_badly = [f"one ended with {status}" for status in course.last_statuses if status != 0]
    found: dict[str, Iterable[str]] = {
        "every worker stops by itself": stopped_badly,
        "every job has one row": checks.check_submissions(outcome, course.accepted),
        "every job ends exactly once": checks.check_changes(outcome, record),
        "95 % succeed, the others met the limit of attempts": checks.check_endings(outcome, max_attempts),
        "no metric row is doubled, missing or wrong": checks.check_metrics(outcome),
        "artifacts and models are whole": checks.check_results(outcome),
        "every file has its row, every row its file": checks.check_files(outcome),
    }
    return {promise: list(lines) for promise, lines in found.items()}


def _histogram(counts: Counter[int] | Counter[str]) -> str:
    return ", ".join(f"{key} × {count}" for key, count in sorted(counts.items(), key=str)) or "none"
