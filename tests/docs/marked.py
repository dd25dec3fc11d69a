"""The shell blocks that can't run in a test as they stand: which, what is looked at instead, and why."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Mark:
    """One or more blocks of a page, by a piece of their text."""

    page: str
    contains: str
    how: Literal["checked", "queued"]
    """`checked`: the shell's grammar and, of our own commands, names and options.
    `queued`: it runs, but what it starts is accepted and then cancelled."""
    reason: str


SERVERS = (
    "starts servers that run until they are stopped; tests/cli/test_serve.py and test_demo.py start them"
)
COMPOSE = "needs Docker Compose and its images; tests/image/ looks at those"
BACKUP = "needs a PostgreSQL server of one's own and replaces what is in it"
BENCHMARK = "measures for minutes to hours, on corpora that don't come with the repository"
LONG = "trains for minutes"

MARKS = (
    Mark("README.md", "make demo", "checked", "runs for as long as the whole suite of tests does"),
    Mark("README.md", "sip demo --dataset", "checked", SERVERS),
    Mark("README.md", "suite --preset honesty", "queued", LONG),
    Mark("README.md", "--hub fancyzhx/ag_news", "checked", "fetches from the Hugging Face Hub"),
    Mark("README.md", "sip serve --host 0.0.0.0", "checked", SERVERS),
    Mark("README.md", "docker compose", "checked", COMPOSE),
    Mark("docs/bad-input.md", "benchmarks.bad_input", "checked", BENCHMARK),
    Mark("docs/fine-tuning.md", "benchmarks.fine_tuning", "checked", BENCHMARK),
    Mark("docs/metrics.md", "benchmarks.metrics_scale", "checked", BENCHMARK),
    Mark("docs/metrics.md", "benchmarks.metrics_pollers", "checked", BENCHMARK),
    Mark("docs/pages-cost.md", "benchmarks.pages", "checked", BENCHMARK),
    Mark("docs/results.md", "benchmarks.results", "checked", BENCHMARK),
    Mark("docs/study/README.md", "benchmarks.study", "checked", BENCHMARK),
    Mark("docs/operations.md", "docker compose", "checked", COMPOSE),
    Mark("docs/operations.md", "sip serve --workers 0", "checked", SERVERS),
    Mark("docs/operations.md", "sip worker --queues", "checked", SERVERS),
    Mark("docs/operations.md", "pg_dump --format", "checked", BACKUP),
    Mark("docs/operations.md", "pg_restore --single", "checked", BACKUP),
    Mark("docs/suites.md", "experiments create suite", "queued", LONG),
    Mark("docs/tutorials/reproduce-the-study.md", "--quick", "queued", LONG),
    Mark("docs/tutorials/reproduce-the-study.md", "--seeds 0,1,2", "checked", "names backbones of the hub"),
    Mark("docs/tutorials/three-machines.md", "sip serve --workers 0", "checked", SERVERS),
    Mark("docs/tutorials/three-machines.md", "sip worker --queues", "checked", SERVERS),
    Mark("docs/watching.md", "sip serve 2>&1", "checked", SERVERS),
)


def mark_of(page: str, code: str) -> Mark | None:
    """The mark of a block, if it has one."""
    return next((mark for mark in MARKS if mark.page == page and mark.contains in code), None)
