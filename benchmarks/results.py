"""Hybrid identifier, lexical baseline and backbone alone on real text: the numbers of docs/results.md.

    python -m benchmarks.results [--data FOLDER] [--corpora NAME …] [--seeds SEED …] [--url URL | --port PORT]

FOLDER holds books.jsonl.gz, articles.jsonl.gz and naics2012.jsonl.gz. Everything goes through the HTTP API:
of a service that runs on this machine already (--url), or of one that is started for the occasion on a folder
of its own. Writes benchmarks/results.json and docs/results.md; exits with 1 when a run takes longer or more
memory than benchmarks/protocol.py allows, or when the hybrid identifier isn't better for sure.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, library_versions
from benchmarks.protocol import CORPORA, MAX_BYTES, MAX_SECONDS
from benchmarks.results_page import results_page
from benchmarks.runs import CorpusResult, measure_corpus
from benchmarks.service import open_service

DATA = Path("../shared/data")
SEEDS = [0, 1, 2]


def main() -> int:
    arguments = _parser().parse_args()
    done: dict[str, CorpusResult] = {}
    with open_service(arguments.url, arguments.port) as client:
        for corpus in arguments.corpora:
            done[corpus] = measure_corpus(client, arguments.data, corpus, arguments.seeds)
    results = {
        "command": _command(arguments),
        "seeds": arguments.seeds,
        "machine": describe_machine(),
        "versions": library_versions(),
        "corpora": {corpus: result.as_json() for corpus, result in done.items()},
    }
    arguments.json.write_text(json.dumps(_rounded(results), indent=1) + "\n", encoding="utf-8")
    arguments.page.write_text(results_page(_rounded(results)), encoding="utf-8")
    print(f"\n{arguments.json} and {arguments.page} are written.")
    problems = list(problems_of(done))
    for problem in problems:
        print(f"NOT SO: {problem}")
    return int(bool(problems))


def problems_of(done: dict[str, CorpusResult]) -> Iterator[str]:
    """Limits that were exceeded, and comparisons that the hybrid identifier doesn't win for sure."""
    for corpus, result in done.items():
        for run in result.runs:
            name = f"{corpus}, {run.identifier}, seed {run.seed}"
            if run.seconds >= MAX_SECONDS:
                yield f"{name}: expected under {MAX_SECONDS:g} s, took {run.seconds:.1f} s"
            if run.peak_memory_bytes >= MAX_BYTES:
                yield f"{name}: expected under {MAX_BYTES / 1e9:g} GB, took {run.peak_memory_bytes / 1e9:.2f}"
        for name, difference in result.pooled.items():
            if difference.low <= 0:
                yield f"{corpus}, {name}: the interval [{difference.low:.3f}, {difference.high:.3f}] has zero"


def _rounded(value: Any) -> Any:
    """Floats to six digits, so that the file doesn't change where the numbers don't."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def _command(arguments: argparse.Namespace) -> str:
    """The command without what only says where things lie on this machine."""
    words = ["python -m benchmarks.results"]
    if arguments.corpora != list(CORPORA):
        words += ["--corpora", *arguments.corpora]
    if arguments.seeds != SEEDS:
        words += ["--seeds", *map(str, arguments.seeds)]
    return " ".join(words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Hybrid identifier, lexical baseline and backbone alone.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the corpora")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a service that runs on this machine already")
    where.add_argument(
        "--port", type=int, help="where the service that is started listens; else any free one"
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results.json"))
    parser.add_argument("--page", type=Path, default=Path("docs/results.md"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
