"""The study, preset `ksc2023`, on books, articles and naics2012: one request, and how long it took.

    python -m benchmarks.study [--data FOLDER] [--workers N] [--set KEY=VALUE …] [--output FOLDER]

FOLDER of --data holds books.jsonl.gz, articles.jsonl.gz and naics2012.jsonl.gz. The service keeps its data in
the folder of --kept: a run that was cut off goes on there, what failed from its checkpoints. Writes the
report, its figures and the values behind them into the folder of --output, with study.json (machine,
versions, minutes); exits with 1 when not all experiments succeeded.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from benchmarks.machine import describe_machine, library_versions
from benchmarks.service import open_service
from cli.experiment_config import read_config
from client import ApiError, Client
from client.answers import FINAL, Experiment

DATA = Path("../shared/data")
CORPORA = ("books", "articles", "naics2012")
NAME = "ksc2023"
SEEDS = [0, 1, 2, 3, 4, 5]
KEPT_FILES = ("report.html", "association.json", "summary.json", "values.csv")


def main() -> int:
    arguments = _parser().parse_args()
    with open_service(None, None, arguments.kept, arguments.workers) as client:
        add_corpora(client, arguments.data)
        suite = run_suite(client, arguments.set, arguments.seeds)
        succeeded = suite["status"] == "succeeded" and set(suite.get("children") or {}) == {"succeeded"}
        arguments.output.mkdir(parents=True, exist_ok=True)
        if suite["status"] == "succeeded":
            keep_results(client, suite, arguments.output)
        facts = {
            "command": " ".join(["python -m benchmarks.study", *sys.argv[1:]]),
            "workers": arguments.workers,
            "children": suite.get("children"),
            "minutes": round(_minutes(suite), 1),
            "worker_minutes_by_kind": worker_minutes(client, suite),
            "machine": describe_machine(),
            "versions": library_versions(),
        }
    (arguments.output / "study.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=1))
    return int(not succeeded)


def add_corpora(client: Client, data: Path) -> None:
    """Upload the corpora that the service doesn't have yet."""
    for corpus in CORPORA:
        try:
            client.datasets.get(corpus)
        except ApiError as error:
            if error.status != 404:
                raise
            client.datasets.upload(data / f"{corpus}.jsonl.gz", corpus)


def run_suite(client: Client, settings: list[str], seeds: list[int]) -> Experiment:
    """Start the suite, or go on with the one that is there, and wait until it is final."""
    found = client.experiments.list(kind="suite")["data"]
    if found:
        suite = found[0]
        if suite["status"] in ("failed", "cancelled"):
            suite = client.experiments.retry(suite["id"])
    else:
        block: dict[str, object] = {"preset": NAME, "datasets": list(CORPORA), "seeds": seeds}
        if settings:
            block["config"] = read_config(None, settings)
        suite = client.experiments.create("suite", config={"suite": block}, name=NAME)
    if suite["status"] in FINAL:
        return suite
    for update in client.follow(suite["id"], poll_seconds=30.0):
        children = Counter(update.experiment.get("children") or {})
        print("  ".join(f"{status} {number}" for status, number in sorted(children.items())), flush=True)
    return client.experiments.get(suite["id"])


def keep_results(client: Client, suite: Experiment, output: Path) -> None:
    """Fetch the report, the values behind it and every figure as SVG."""
    (output / "figures").mkdir(parents=True, exist_ok=True)
    for artifact in suite["artifacts"]:
        name = artifact["name"]
        if name in KEPT_FILES:
            client.experiments.download(suite["id"], name, output / name)
        elif name.endswith(".svg"):
            client.experiments.download(suite["id"], name, output / "figures" / name)


def worker_minutes(client: Client, suite: Experiment) -> dict[str, float]:
    """Kind → minutes from when a worker first took a child up to its end, summed over the children."""
    minutes: dict[str, float] = {}
    for child in children_of(client, suite):
        minutes[child["kind"]] = minutes.get(child["kind"], 0.0) + _minutes(child)
    return {kind: round(total, 1) for kind, total in sorted(minutes.items())}


def children_of(client: Client, suite: Experiment) -> Iterator[Experiment]:
    """All of them, page by page."""
    cursor: str | None = None
    while True:
        page = client.experiments.list(parent=suite["id"], limit=100, cursor=cursor)
        yield from page["data"]
        if (cursor := page["next_cursor"]) is None:
            return


def _minutes(experiment: Experiment) -> float:
    """From the start of its first attempt to its end."""
    started, finished = experiment["started_at"], experiment["finished_at"]
    if started is None or finished is None:
        return float("nan")
    return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds() / 60


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The study, from one request, and how long it took.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the corpora")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of all children")
    parser.add_argument("--kept", type=Path, default=Path(".sip/benchmarks/study"), help="the data folder")
    parser.add_argument("--output", type=Path, default=Path("docs/study"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
