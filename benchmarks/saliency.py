"""Are the explanations of an answer faithful? Deletion and insertion curves on unseen texts.

    python -m benchmarks.saliency [--data FOLDER] [--tasks NAME …] [--seeds SEED …] [--work FOLDER]
                                  [--texts N] [--choice-texts N]

FOLDER holds the corpora. Trains with the library as the service does, with default settings but four layers
of the backbone, and explains texts of the test part: tokens are taken out of a text, or put back into an
empty one, in the order of their weights, and the log-odds of the answer's first source are followed. On the
calibration part it compares shares of the channels and weights of the backbone's part, for
`CHANNEL_SHARE` and `BACKBONE_FACTOR` in sip_model/inference/saliency.py. What some texts came to is kept in
the work folder. Prints a table, and writes it with the numbers behind it to benchmarks/saliency.json.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.answer_tasks import TASKS, Task
from benchmarks.machine import describe_machine, library_versions
from benchmarks.saliency_cells import Curves, blocks_of, curves_of
from benchmarks.saliency_table import choices, compared, page
from benchmarks.trained_models import WORK, Features, program_sha256, trained_task
from sip_model.inference.saliency import BACKBONE_FACTOR, CHANNEL_SHARE

SEEDS = [0, 1, 2]
PROGRAM = ("benchmarks/saliency_cells.py", "sip_model/analysis/saliency", "sip_model/inference")
"""What areas follow from, beside how the model is trained."""
NAMES = ("books", "articles")


def main() -> int:
    arguments = _parser().parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    for task in (task for task in TASKS if task.name in arguments.tasks):
        cells = [_cell_of(task, seed, arguments) for seed in arguments.seeds]
        results[task.name] = {
            "choices": choices([cell[0] for cell in cells]),
            "compared": compared([cell[1] for cell in cells]),
        }
        print(page(results), flush=True)
    written = {
        "seeds": arguments.seeds,
        "texts": arguments.texts,
        "choice_texts": arguments.choice_texts,
        "machine": describe_machine(),
        "versions": library_versions(),
        "tasks": results,
        "page": page(results).splitlines(),
    }
    arguments.json.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    return 0


def _cell_of(task: Task, seed: int, arguments: argparse.Namespace) -> tuple[Curves, Curves]:
    """Curves of the calibration and of the test part, from the work folder where they are there."""
    trained = trained_task(task, seed, arguments.data, Features(arguments.work / "features"), arguments.work)
    samples, model = trained.samples, trained.loaded
    key = f"saliency-{task.slug}-{seed}-{program_sha256(*PROGRAM)[:16]}"
    found = []
    for part, count, chosen in (
        ("calibration", arguments.choice_texts, ""),
        ("test", arguments.texts, f"-{CHANNEL_SHARE:g}-{BACKBONE_FACTOR:g}"),
    ):
        curves = []
        for number, rows in enumerate(blocks_of(samples, part, count, seed)):
            path = arguments.work / f"{key}-{part}{chosen}-{number}-{len(rows)}.npz"
            if not path.exists():
                print(f"{task.name}, seed {seed}, {part} part, block {number}", flush=True)
                curves_of(model, samples, rows, seed, is_choice=part == "calibration").save(path)
            curves.append(Curves.load(path))
        found.append(Curves.joined(curves))
    return found[0], found[1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Are the explanations of an answer faithful?")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the corpora")
    parser.add_argument("--tasks", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--texts", type=int, default=200, help="texts of the test part, per seed")
    parser.add_argument(
        "--choice-texts", type=int, default=50, help="texts of the calibration part, per seed"
    )
    parser.add_argument("--work", type=Path, default=WORK, help="what is kept between runs")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/saliency.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
