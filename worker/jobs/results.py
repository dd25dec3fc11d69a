"""The files and metrics that kinds leave alike."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from sip_model.analysis.scores import Outcomes, score_outcomes, score_sources
from sip_model.corpora.selection import LeftOut
from worker.jobs.context import JobContext

PARQUET = "application/vnd.apache.parquet"
JSON = "application/json"


def report_scores(
    context: JobContext[object],
    outcomes: Outcomes,
    sources: tuple[str, ...],
    backbone: str | None,
    left_out: Sequence[LeftOut],
) -> dict[str, float]:
    """Record `eval/*`, leave the per-source table ``sources.json``; returns the scores by metric name.

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
    content = {"sources": rows, "left_out": [asdict(entry) for entry in left_out]}
    path = context.scratch / "sources.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    context.artifact(path.name, path, JSON)
    return scores


def _finite(value: str | float | None) -> str | float | None:
    return None if isinstance(value, float) and not np.isfinite(value) else value
