"""Is it found where a text goes over from one source to another? Beside windows that slide over it.

    python -m benchmarks.spans [--data FOLDER] [--tasks NAME …] [--seeds SEED …] [--texts N] [--work FOLDER]

FOLDER holds the corpora. Trains with the library as the service does, with default settings but four layers
of the backbone. Texts are stitched from neighbouring chunks of the test part, two to four of each source, cut
between sentences; how spans are made, and how wide the windows are, is fitted on texts stitched likewise from
the calibration part. What a task with a seed came to, and its model, is kept in the work folder. Prints a
table, and writes it with the numbers behind it to benchmarks/spans.json.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.answer_cells import Array
from benchmarks.answer_tasks import TASKS, Task
from benchmarks.machine import describe_machine, library_versions
from benchmarks.span_cells import SpanCell, run_cell
from benchmarks.trained_models import WORK, Features, program_sha256
from sip_model.analysis.bootstrap import paired_bootstrap

SEEDS = [0, 1, 2, 3, 4]
PROGRAM = ("benchmarks/span_cells.py", "benchmarks/sliding.py", "sip_model/inference")
"""What a cell follows from, beside how the model is trained."""
NAMES = {"hybrid": "spans", "sliding": "sliding windows"}
MEASURES = {
    "found": "both spans found",
    "changes": "one change, near the right one",
    "near": "some change near the right one",
}


def main() -> int:
    arguments = _parser().parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    features, program = Features(arguments.work / "features"), program_sha256(*PROGRAM)
    results: dict[str, Any] = {}
    for task in (task for task in TASKS if task.name in arguments.tasks):
        cells = [
            cell_of(task, seed, arguments.texts, arguments.data, arguments.work, features, program)
            for seed in arguments.seeds
        ]
        results[task.name] = summary(cells)
        print(page(results), flush=True)
    written = {
        "seeds": arguments.seeds,
        "machine": describe_machine(),
        "versions": library_versions(),
        "tasks": results,
        "page": page(results).splitlines(),
    }
    arguments.json.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    return 0


def cell_of(
    task: Task, seed: int, num_texts: int, data: Path, work: Path, features: Features, program: str
) -> SpanCell:
    """A task with a seed, from the work folder where it is there."""
    key = hashlib.sha256(f"{program} {task} {seed} {num_texts}".encode()).hexdigest()[:16]
    path = work / f"spans-{task.slug}-{seed}-{key}.npz"
    if not path.exists():
        print(f"{task.name}, seed {seed}", flush=True)
        run_cell(task, seed, num_texts, data, features, work).save(path)
    return SpanCell.load(path)


def summary(cells: Sequence[SpanCell]) -> dict[str, Any]:
    """All seeds together; intervals over resampled sources."""
    stitched = np.concatenate([cell.stitched for cell in cells]) == 1
    sources, words = (
        np.concatenate([getattr(cell, name) for cell in cells]) for name in ("sources", "words")
    )
    low, median, high = np.quantile(words[stitched], [0.05, 0.5, 0.95]).tolist()
    found: dict[str, Any] = {
        "texts": int(stitched.sum()),
        "whole_texts": int((~stitched).sum()),
        "words": {"low_5": low, "median": median, "high_95": high},
        "settings": [cell.settings.tolist() for cell in cells],
    }
    for name in NAMES:
        values = {
            measure: np.concatenate([getattr(cell, f"{name}_{measure}") for cell in cells])
            for measure in (*MEASURES, "spans")
        }
        found[name] = {
            measure: _interval(values[measure][stitched], np.zeros(int(stitched.sum())), sources[stitched])
            for measure in MEASURES
        } | {
            "mean_spans": float(values["spans"][stitched].mean()),
            "whole_texts_undivided": float((values["spans"][~stitched] == 1).mean()),
        }
    first, second = (
        np.concatenate([getattr(cell, f"{name}_found") for cell in cells])[stitched] for name in NAMES
    )
    found["difference"] = _interval(first, second, sources[stitched])
    return found


def page(results: dict[str, Any]) -> str:
    """Markdown of all tasks' numbers."""
    lines = [
        "| texts of | number | words (5 %, median, 95 %) | by | "
        + " | ".join(MEASURES.values())
        + " | spans per text | texts of one source left whole |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for task, found in results.items():
        words = ", ".join(f"{value:.0f}" for value in found["words"].values())
        for name, label in NAMES.items():
            each = found[name]
            shares = " | ".join(_shown(each[measure]) for measure in MEASURES)
            lines.append(
                f"| {task} | {found['texts']} | {words} | {label} | {shares} | {each['mean_spans']:.2f} | "
                f"{each['whole_texts_undivided']:.3f} |"
            )
        lines.append(f"| {task} | | | difference | {_shown(found['difference'])} | | | | |")
    return "\n".join(lines) + "\n"


def _interval(first: Array, second: Array, documents: npt.NDArray[np.str_]) -> list[float]:
    found = paired_bootstrap(first, second, documents)
    return [found.mean, found.low, found.high]


def _shown(interval: Sequence[float]) -> str:
    mean, low, high = interval
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Spans of texts of two sources.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the corpora")
    names = [task.name for task in TASKS]
    parser.add_argument("--tasks", nargs="+", choices=names, default=["articles"])
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--texts", type=int, default=150, help="of two sources, for each seed")
    parser.add_argument("--work", type=Path, default=WORK, help="what is kept between runs")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/spans.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
