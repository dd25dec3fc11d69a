"""The tables of benchmarks/saliency.py: from areas to means with intervals, and from those to Markdown."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.saliency_cells import TARGETS, Array, Curves
from sip_model.analysis.bootstrap import paired_bootstrap

PAIRS = (
    ("gradient", "random"),
    ("channels", "random"),
    ("answer", "random"),
    ("channels", "gradient"),
    ("answer", "channels"),
)
"""Rankings whose faithfulness is compared, the first minus the second."""


def choices(cells: Sequence[Curves]) -> dict[str, dict[str, float]]:
    """Mean faithfulness of everything that can be chosen, by target, on the calibration part."""
    return {
        target: {
            name: float(_faithfulness(cells, name, target).mean()) for name in cells[0].rankings.tolist()
        }
        for target in TARGETS
    }


def compared(cells: Sequence[Curves]) -> dict[str, Any]:
    """Areas, and differences of faithfulness with 95 % intervals, all seeds together, on the test part."""
    documents = np.concatenate([cell.documents for cell in cells])
    areas = np.concatenate([cell.areas for cell in cells])  # (n, R, 2, 2)
    found: dict[str, Any] = {"texts": len(documents), "documents": len(np.unique(documents))}
    for number, target in enumerate(TARGETS):
        means = areas[:, :, number].mean(axis=0)  # (R, 2)
        found[target] = {
            "areas": {
                name: {"deletion": float(deletion), "insertion": float(insertion)}
                for name, (deletion, insertion) in zip(cells[0].rankings.tolist(), means, strict=True)
            },
            "differences": {},
        }
        for first, second in PAIRS:
            values = [_faithfulness(cells, name, target) for name in (first, second)]
            difference = paired_bootstrap(values[0], values[1], documents)
            found[target]["differences"][f"{first} - {second}"] = [
                difference.mean,
                difference.low,
                difference.high,
            ]
    return found


def page(results: dict[str, Any]) -> str:
    """Markdown of all tasks' numbers; log-odds in nats."""
    lines = [
        "| texts | log-odds of | ranking | deletion area | insertion area | insertion − deletion |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for task, found in results.items():
        for target in TARGETS:
            for name, areas in found["compared"][target]["areas"].items():
                deletion, insertion = areas["deletion"], areas["insertion"]
                lines.append(
                    f"| {task} | {target} | {name} | {deletion:.3f} | {insertion:.3f} | "
                    f"{insertion - deletion:.3f} |"
                )
    lines += ["", "| texts | log-odds of | difference | mean [95 %] |", "| --- | --- | --- | --- |"]
    for task, found in results.items():
        for target in TARGETS:
            for name, (mean, low, high) in found["compared"][target]["differences"].items():
                lines.append(f"| {task} | {target} | {name} | {mean:+.3f} [{low:+.3f}, {high:+.3f}] |")
    lines += [
        "",
        "| texts, calibration part | log-odds of | choice: insertion − deletion |",
        "| --- | --- | --- |",
    ]
    for task, found in results.items():
        for target, each in found["choices"].items():
            listed = ", ".join(f"{name}: {value:.3f}" for name, value in each.items())
            lines.append(f"| {task} | {target} | {listed} |")
    return "\n".join(lines) + "\n"


def _faithfulness(cells: Sequence[Curves], name: str, target: str) -> Array:
    return np.concatenate([cell.faithfulness(name, target) for cell in cells])
