"""Frozen features against a fine-tuned backbone, with two learning rates and with one, on books.

    python -m benchmarks.fine_tuning [--data FOLDER] [--seeds SEED …] [--kept FOLDER]

FOLDER of --data holds books.jsonl.gz. What is done already is taken from the folder of --kept, so that a run
that was interrupted goes on. Writes benchmarks/fine_tuning.json and docs/fine-tuning.md; exits with 1 when an
interval has zero in it.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.fine_tuning_arms import (
    ARMS,
    DROPPING,
    FROZEN,
    ONE_RATE,
    TWO_RATES,
    ArmResult,
    SeedRuns,
)
from benchmarks.fine_tuning_page import fine_tuning_page
from benchmarks.machine import describe_machine, library_versions
from benchmarks.predictions import compare
from sip_model.analysis.bootstrap import PairedDifference
from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.corpora.store import write_corpus

DATA = Path("../shared/data")
SEEDS = [0, 1, 2, 3, 4]
Runs = dict[str, list[ArmResult]]
COMPARED = ((TWO_RATES, (*FROZEN, *DROPPING)), (TWO_RATES, tuple(ONE_RATE)))
"""One arm, and those of which it is compared with the best on validation data."""


def main() -> int:
    arguments = _parser().parse_args()
    arguments.kept.mkdir(parents=True, exist_ok=True)
    file, corpus = arguments.data / "books.jsonl.gz", arguments.kept / "books.parquet"
    if not corpus.exists():
        write_corpus(read_corpus(file, detect_format(file.name)), corpus)
    runs: Runs = {arm: [] for arm in ARMS}
    for seed in arguments.seeds:
        of_seed = SeedRuns(corpus, seed, arguments.kept, time.monotonic)
        for arm in ARMS:
            result = of_seed.run(arm)
            runs[arm].append(result)
            print(
                f"seed {seed}  {arm:28} validation {np.mean(result.validation_right):.4f}"
                f"  test {np.mean(result.right):.4f}  {result.seconds:.0f} s",
                flush=True,
            )
    results = summary(runs, arguments.seeds)
    arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    arguments.page.write_text(fine_tuning_page(results), encoding="utf-8")
    print(f"\n{arguments.json} and {arguments.page} are written.")
    problems = list(problems_of(results))
    for problem in problems:
        print(f"NOT SO: {problem}")
    return int(bool(problems))


def chosen(arms: Iterable[str], runs: Runs) -> str:
    """The arm that is right most often on the validation parts of all seeds."""
    return max(arms, key=lambda arm: sum(sum(run.validation_right) for run in runs[arm]))


def summary(runs: Runs, seeds: Sequence[int]) -> dict[str, object]:
    """All that the page says, as JSON."""
    differences = {}
    for (arm,), others in COMPARED:
        other = chosen(others, runs)
        pooled, by_seed = compare(
            [np.array(run.right, dtype=np.float64) for run in runs[arm]],
            [np.array(run.right, dtype=np.float64) for run in runs[other]],
            [np.array(run.documents) for run in runs[arm]],
        )
        differences[f"{arm} − {other}"] = _as_json(pooled) | {"by_seed": [_as_json(d) for d in by_seed]}
    return {
        "command": "python -m benchmarks.fine_tuning",
        "seeds": list(seeds),
        "top1": {
            arm: {
                "validation": [round(float(np.mean(run.validation_right)), 6) for run in runs[arm]],
                "test": [round(float(np.mean(run.right)), 6) for run in runs[arm]],
            }
            for arm in ARMS
        },
        "differences": differences,
        "machine": describe_machine(),
        "versions": library_versions(),
    }


def problems_of(results: dict[str, object]) -> Iterator[str]:
    """Claims that don't hold for sure."""
    differences = results["differences"]
    assert isinstance(differences, dict)
    for name, difference in differences.items():
        if difference["low"] <= 0:
            yield f"{name}: the interval [{difference['low']:.3f}, {difference['high']:.3f}] has zero"


def _as_json(difference: PairedDifference) -> dict[str, object]:
    return {name: round(getattr(difference, name), 6) for name in ("mean", "low", "high")}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Frozen features against a fine-tuned backbone.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the corpora")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--kept", type=Path, default=Path(".sip/benchmarks/fine_tuning"))
    parser.add_argument("--json", type=Path, default=Path("benchmarks/fine_tuning.json"))
    parser.add_argument("--page", type=Path, default=Path("docs/fine-tuning.md"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
