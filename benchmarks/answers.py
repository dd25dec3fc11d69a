"""Can the answers be relied on? Accuracy beside the lexical baseline, calibration, and unknown sources.

    python -m benchmarks.answers [--data FOLDER] [--tasks NAME …] [--seeds SEED …] [--work FOLDER]

FOLDER holds the corpora. Trains with the library as the service does, with default settings but four layers
of the backbone. What a task with a seed came to is kept in the work folder, named after the program that made
it: an interrupted run goes on where it was, and further seeds add to what is there. Prints a table, and
writes it with the numbers behind it to benchmarks/answers.json.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.answer_cells import Cell, run_cell
from benchmarks.answer_table import identification, page, unknown
from benchmarks.answer_tasks import TASKS, Task
from benchmarks.machine import describe_machine, library_versions
from benchmarks.trained_models import WORK, Features, program_sha256

SEEDS = [0, 1, 2, 3, 4]
PROGRAM = ("benchmarks/answer_cells.py", "sip_model/analysis")
"""What a cell follows from, beside how the model is trained."""


def main() -> int:
    arguments = _parser().parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    features, program = Features(arguments.work / "features"), program_sha256(*PROGRAM)
    results: dict[str, Any] = {}
    for task in (task for task in TASKS if task.name in arguments.tasks):
        cells = [
            cell_of(task, seed, arguments.data, arguments.work, features, program) for seed in arguments.seeds
        ]
        results[task.name] = {
            "identification": identification(cells),
            "unknown": unknown(cells) if task.left_over or task.strangers else None,
            "models": [json.loads(cell.weights) for cell in cells],
        }
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


def cell_of(task: Task, seed: int, data: Path, work: Path, features: Features, program: str) -> Cell:
    """A task with a seed, from the work folder where it is there."""
    key = hashlib.sha256(f"{program} {task} {seed}".encode()).hexdigest()[:16]
    path = work / f"{task.slug}-{seed}-{key}.npz"
    if not path.exists():
        print(f"{task.name}, seed {seed}", flush=True)
        run_cell(task, seed, data, features, work).save(path)
    return Cell.load(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Can the answers be relied on?")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the corpora")
    names = [task.name for task in TASKS]
    parser.add_argument("--tasks", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--work", type=Path, default=WORK, help="what is kept between runs")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/answers.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
