"""The tables of benchmarks/answers.py: from cells to numbers with intervals, and from numbers to Markdown."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from benchmarks.answer_cells import KNOWN, Array, Cell
from sip_model.analysis.bootstrap import paired_bootstrap
from sip_model.analysis.open_set import score_decisions, score_detection, score_selection
from sip_model.analysis.reliability import reliability

RESAMPLES = 500
"""Of an area under a curve, which takes longer than a mean."""


def identification(cells: Sequence[Cell]) -> dict[str, Any]:
    """Top-1 beside the lexical baseline's and calibration on the test part, all seeds together."""
    known = [cell.group == KNOWN for cell in cells]
    right, lexical, documents, confidence, mass, squares = (
        np.concatenate([getattr(cell, name)[mask] for cell, mask in zip(cells, known, strict=True)])
        for name in ("right", "lexical_right", "document", "confidence", "mass", "squares")
    )
    found = reliability(confidence, right == 1)
    return {
        "samples": len(right),
        "top1": float(right.mean()),
        "top1_by_seed": [float(cell.right[mask].mean()) for cell, mask in zip(cells, known, strict=True)],
        "lexical_top1": float(lexical.mean()),
        "difference": _interval(right, lexical, documents),
        "ece": found.ece,
        "ece_debiased": found.ece_debiased,
        "ece_null_95": found.ece_null_95,
        "classwise_ece": float(np.mean([cell.classwise_ece for cell in cells])),
        "nll": float(-np.log(np.maximum(mass, 1e-300)).mean()),
        "brier_all": float(squares.mean()),
    }


def unknown(cells: Sequence[Cell]) -> dict[str, Any]:
    """How well each group of strangers is told from the test part, and the decisions on all together."""
    group, documents, probability, right, answered, confidence = (
        np.concatenate([getattr(cell, name) for cell in cells])
        for name in ("group", "document", "unknown", "right", "answered", "confidence")
    )
    is_known = group == KNOWN
    groups = {}
    for name in np.unique(group[~is_known]).tolist():
        taken = is_known | (group == name)
        groups[name] = {
            "texts": int((group == name).sum()),
            **score_detection(probability[taken], ~is_known[taken]),
            "interval": _auroc_interval(probability[taken], ~is_known[taken], documents[taken]),
        }
    rejected = 1 - answered[is_known]
    return {
        "false_rejections": _interval(rejected, np.zeros(len(rejected)), documents[is_known]),
        **{
            name: value
            for name, value in score_decisions(right == 1, ~is_known, answered == 1).items()
            if name != "false_rejections"
        },
        **score_selection(confidence * (1 - probability), right == 1),
        "groups": groups,
    }


def page(results: dict[str, Any]) -> str:
    """Markdown of all tasks' numbers."""
    lines = [
        "| texts | samples | hybrid | lexical baseline | difference | debiased ECE (ECE, null 95 %) | "
        "class-wise ECE | Brier | NLL |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in results.items():
        each = found["identification"]
        lines.append(
            f"| {name} | {each['samples']} | {each['top1']:.4f} | {each['lexical_top1']:.4f} | "
            f"{_signed(each['difference'])} | "
            f"{each['ece_debiased']:.4f} ({each['ece']:.4f}, {each['ece_null_95']:.4f}) | "
            f"{each['classwise_ece']:.4f} | {each['brier_all']:.4f} | {each['nll']:.4f} |"
        )
    lines += [
        "",
        "| known texts | unknown texts | number | AUROC | AUPR | FPR95 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    asked = {name: found["unknown"] for name, found in results.items() if found["unknown"]}
    for name, each in asked.items():
        for group, scores in each["groups"].items():
            low, high = scores["interval"]
            lines.append(
                f"| {name} | {group} | {scores['texts']} | {scores['auroc_unknown']:.4f} "
                f"[{low:.4f}, {high:.4f}] | {scores['aupr_unknown']:.4f} | {scores['fpr95_unknown']:.4f} |"
            )
    lines += [
        "",
        "| texts, known and unknown | false rejections | c@1 | F0.5u | AURC | AUGRC |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, each in asked.items():
        mean, low, high = each["false_rejections"]
        lines.append(
            f"| {name} | {mean:.4f} [{low:.4f}, {high:.4f}] | {each['c_at_1']:.4f} | {each['f05u']:.4f} | "
            f"{each['aurc']:.4f} | {each['augrc']:.4f} |"
        )
    return "\n".join(lines) + "\n"


def _signed(interval: Sequence[float]) -> str:
    mean, low, high = interval
    return f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"


def _interval(first: Array, second: Array, documents: npt.NDArray[np.str_]) -> list[float]:
    found = paired_bootstrap(first, second, documents)
    return [found.mean, found.low, found.high]


def _auroc_interval(
    probability: Array, is_unknown: npt.NDArray[np.bool_], documents: npt.NDArray[np.str_]
) -> list[float]:
    """95 % interval over resampled documents, known and unknown ones apart."""
    _, numbers = np.unique(documents, return_inverse=True)
    is_stranger = np.zeros(numbers.max() + 1, dtype=np.bool_)
    is_stranger[numbers[is_unknown]] = True
    generator = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        weights = np.zeros(len(is_stranger))
        for side in (is_stranger, ~is_stranger):
            count = int(side.sum())
            weights[side] = generator.multinomial(count, np.full(count, 1 / count))
        found.append(roc_auc_score(is_unknown, probability, sample_weight=weights[numbers]))
    low, high = np.quantile(found, [0.025, 0.975])
    return [float(low), float(high)]
