"""Does a passage that stands in two sources get both, and an ordinary one no second one?

    python -m benchmarks.planted [--data FOLDER] [--seeds SEED …] [--cases N] [--work FOLDER]

FOLDER of --data holds books.jsonl.gz. Passages of the books that take no part are planted in the training
parts of two others each, in place of as many words: N exactly where two chunks stood, N moved by up to half a
chunk, so that training has seen a part of them only. A model is trained on that corpus as the service does,
written, read, and asked as `POST /classify` asks it. What takes long is kept in the work folder: an
interrupted run goes on where it was. Prints tables, and writes them with the numbers behind them to
benchmarks/planted.json; exits with 1 when a promise doesn't hold.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.machine import describe_machine, library_versions
from benchmarks.planted_measures import FROM, Measured, measure
from benchmarks.planted_model import train_planted
from benchmarks.trained_models import WORK, Features

CORPUS = "books"
SEEDS = [0, 1, 2, 3, 4]
MIN_BOTH, MAX_TWO = 0.95, 0.05

Numbers = dict[str, Any]


def main() -> int:
    arguments = _parser().parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    features = Features(arguments.work / "features")
    runs = []
    for seed in arguments.seeds:
        print(f"seed {seed}", flush=True)
        cases, trained = train_planted(
            CORPUS, seed, arguments.cases, arguments.data, features, arguments.work
        )
        runs.append(measure(cases, trained, features))
    results = summary(runs)
    print("\n".join(page(results)), flush=True)
    written = {
        "seeds": arguments.seeds,
        "cases": arguments.cases,
        "machine": describe_machine(),
        "versions": library_versions(),
        "books": results,
        "page": page(results),
    }
    arguments.json.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    problems = list(problems_of(results))
    for problem in problems:
        print(f"NOT SO: {problem}")
    return int(bool(problems))


def summary(runs: Sequence[Measured]) -> Numbers:
    """The numbers of all seeds together."""
    groups = {
        name: np.concatenate([np.array(getattr(run, name)).reshape(-1, 2) for run in runs])
        for name in ("whole", "whole_by_members", "moved", "moved_by_members")
    }
    returned, returned_by_members = (
        np.concatenate([getattr(run, name) for run in runs])
        for name in ("ordinary_returned", "ordinary_returned_by_members")
    )
    return {
        **{name: _both(pairs) for name, pairs in groups.items()},
        "two": _share(returned >= 2),
        "two_by_members": _share(returned_by_members >= 2),
        "scores": _means([run.scores for run in runs]),
        "scores_by_members": _means([run.scores_by_members for run in runs]),
        "quoted": float(np.mean([run.quoted for run in runs])),
        "trust": [run.trust for run in runs],
        "merged": [run.merged for run in runs],
        "share_of_time": float(np.mean([run.seconds_of_quotations for run in runs])),
    }


def _means(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each score over the seeds."""
    return {name: float(np.mean([each[name] for each in scores])) for name in scores[0]}


def _both(pairs: np.ndarray[Any, np.dtype[np.float64]]) -> Numbers:
    """How often both of n pairs of probabilities, (n, 2), are above `FROM`."""
    smaller, larger = pairs.min(axis=1), pairs.max(axis=1)
    return _share(smaller > FROM) | {"smaller": float(smaller.mean()), "larger": float(larger.mean())}


def _share(hits: np.ndarray[Any, np.dtype[np.bool_]]) -> Numbers:
    """A share with its 95 % interval (Wilson)."""
    interval = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
    return {"number": len(hits), "share": float(hits.mean()), "interval": [interval.low, interval.high]}


def page(found: Numbers) -> list[str]:
    """The tables, as lines of Markdown."""
    lines = [
        f"| planted in two sources | cases | both above {FROM} | smaller, larger (means) | members alone |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, words in (("whole", "in place of a chunk"), ("moved", "moved by up to half a chunk")):
        each, alone = found[name], found[f"{name}_by_members"]
        lines.append(
            f"| {words} | {each['number']} | {_shown(each)} | "
            f"{each['smaller']:.3f}, {each['larger']:.3f} | {_shown(alone)} |"
        )
    lines += [
        "",
        f"| ordinary passages (test part) | number | two sources above {FROM} | top-1 | NLL | "
        "debiased ECE (null 95 %) |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for suffix, words in (("", "as served"), ("_by_members", "members alone")):
        two, scores = found[f"two{suffix}"], found[f"scores{suffix}"]
        lines.append(
            f"| {words} | {two['number']} | {_shown(two)} | {scores['accuracy']:.4f} | "
            f"{scores['nll']:.4f} | {scores['ece_debiased']:.4f} ({scores['ece_null_95']:.4f}) |"
        )
    return lines


def problems_of(found: Numbers) -> Iterator[str]:
    """Promises that don't hold."""
    if found["whole"]["share"] < MIN_BOTH:
        yield f"both sources come back in {found['whole']['share']:.3f} of the cases, expected {MIN_BOTH}"
    if found["two"]["share"] > MAX_TWO:
        yield f"{found['two']['share']:.3f} of the ordinary passages get two, expected {MAX_TWO} at most"
    if found["scores"]["accuracy"] < found["scores_by_members"]["accuracy"]:
        yield "quotations make the answers to ordinary passages worse"


def _shown(share: Numbers) -> str:
    low, high = share["interval"]
    return f"{share['share']:.3f} [{low:.3f}, {high:.3f}]"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Passages that stand in two sources, and ordinary ones.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the corpora")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--cases", type=int, default=200, help="of each kind")
    parser.add_argument("--work", type=Path, default=WORK, help="what is kept between runs")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/planted.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
