"""The files and metrics that kinds leave alike."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from sip_model.analysis.label_sets import label_sets, score_label_sets, score_ranking
from sip_model.analysis.open_set import score_decisions, score_detection, score_selection
from sip_model.analysis.scores import Outcomes, count_confusions, score_outcomes, score_sources
from sip_model.corpora.selection import LeftOut
from sip_model.identifiers.positives import Positives
from worker.jobs.context import JobContext

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

PARQUET = "application/vnd.apache.parquet"
JSON = "application/json"

CHOSEN_FROM = 0.5
"""A source's own probability from which it is in the set of a text's sources."""


def report_scores(
    context: JobContext[object],
    outcomes: Outcomes,
    sources: tuple[str, ...],
    backbone: str | None,
    left_out: Sequence[LeftOut],
) -> dict[str, float]:
    """Record `eval/*`, leave the per-source table ``sources.json`` and how reliable the probabilities are as
    ``reliability.json``, ``.png`` and ``.svg``; returns the scores by metric name.

    Args:
        context: of the job.
        outcomes: on the test part, every sample with a right source.
        sources: C names.
        backbone: id, for the metric rows.
        left_out: sources that take no part, with their number of chunks.
    """
    scores = {f"eval/{name}": value for name, value in score_outcomes(outcomes, len(sources)).items()}
    for name, value in scores.items():
        context.metric(name, value, split="test", backbone=backbone)
    table = score_sources(outcomes.best[:, 0], outcomes.positives, sources)
    rows = [{name: _finite(value) for name, value in asdict(row).items()} for row in table]
    confusions = count_confusions(outcomes.best[:, 0], outcomes.positives, sources)
    content = {
        "sources": rows,
        "confusions": [asdict(pair) for pair in confusions],
        "left_out": [asdict(entry) for entry in left_out],
    }
    path = context.scratch / "sources.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    context.artifact(path.name, path, JSON)
    _leave_reliability(context, outcomes)
    return scores


def report_decisions(
    context: JobContext[object], outcomes: Outcomes, unknown: Array, known: BoolArray, backbone: str | None
) -> dict[str, float]:
    """Record what holding back an answer is worth, and, where both kinds of texts occur, how well unknown
    ones are told; returns the scores by metric name.

    Args:
        context: of the job.
        outcomes: on the test part, of n samples, some of which may have no right source.
        unknown: (n,) probability that no known source is right.
        known: (n,) whether the sample was answered.
        backbone: id, for the metric rows.
    """
    is_unknown = outcomes.positives.counts == 0
    found = score_decisions(outcomes.right, is_unknown, known)
    found |= score_selection(outcomes.confidence * (1 - unknown), outcomes.right)
    if is_unknown.any() and not is_unknown.all():
        found |= score_detection(unknown, is_unknown)
    scores = {f"eval/{name}": value for name, value in found.items() if np.isfinite(value)}
    for name, value in scores.items():
        context.metric(name, value, split="test", backbone=backbone)
    return scores


def report_label_sets(
    context: JobContext[object],
    outcomes: Outcomes,
    predicted: Positives,
    num_sources: int,
    backbone: str | None,
) -> dict[str, float]:
    """Record how well several right sources of one text are found, where a text has several; returns the
    scores by metric name.

    Args:
        context: of the job.
        outcomes: on the test part, of n samples, each with a right source.
        predicted: the sources of each sample whose own probability is one half or more.
        num_sources: C.
        backbone: id, for the metric rows.
    """
    right = outcomes.positives
    if right.counts.max(initial=0) < 2:
        return {}
    found = score_label_sets(predicted, right, num_sources) | score_ranking(outcomes.best, right)
    scores = {f"eval/{name}": value for name, value in found.items()}
    for name, value in scores.items():
        context.metric(name, value, split="test", backbone=backbone)
    return scores


def chosen_sources(scores: Array) -> Positives:
    """The sources of n texts whose own probability is one half or more, of one-versus-all sigmoids (n, C)."""
    return label_sets(scores >= CHOSEN_FROM)


def _leave_reliability(context: JobContext[object], outcomes: Outcomes) -> None:
    """``reliability.json`` and the diagram of the same."""
    from sip_model.figures.reliability import draw_reliability
    from sip_model.figures.style import save

    found = outcomes.reliability()
    content = {
        "bins": [
            {"confidence": confidence, "accuracy": accuracy, "samples": samples}
            for confidence, accuracy, samples in zip(
                found.confidence.tolist(), found.accuracy.tolist(), found.counts.tolist(), strict=True
            )
        ],
        "ece": found.ece,
        "ece_debiased": found.ece_debiased,
        "ece_null": found.ece_null,
        "ece_null_95": found.ece_null_95,
    }
    path = context.scratch / "reliability.json"
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    context.artifact(path.name, path, JSON)
    png, svg = save(draw_reliability(found), context.scratch, "reliability")
    context.artifact(png.name, png, "image/png")
    context.artifact(svg.name, svg, "image/svg+xml")


def _finite(value: str | float | None) -> str | float | None:
    return None if isinstance(value, float) and not np.isfinite(value) else value
