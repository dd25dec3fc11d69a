"""An experiment's report: the page it left, or tables of its values. No figure is drawn here."""

import json
from collections.abc import Sequence
from urllib.parse import quote

from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from api.downloads import artifact_response
from api.errors import NoSuchResourceError
from api.services import Services
from db import experiments, metrics
from db.errors import NotFoundError
from db.metric_search import MetricRow
from db.metrics import MetricFilter
from db.tables import Artifact, Experiment
from sip_model.figures.markup import Markup, element
from sip_model.figures.page import (
    CONTENT_SECURITY_POLICY,
    Section,
    code,
    fields,
    folded,
    number,
    page,
    table,
)

REPORT_ARTIFACT = "report.html"
KINDS_WITH_FIGURES = frozenset({"suite"})
"""Kinds that draw their report themselves when they end; for them tables would hide that it isn't there."""
MOST_ROWS = 5000
MOST_STEPS = 100
HEADERS = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Content-Disposition": "inline"}


def report_response(services: Services, session: Session, experiment_id: str) -> Response:
    """The page, to be looked at in a browser.

    Raises:
        NoSuchResourceError: its kind draws a report when it ends, and there is none (yet).
    """
    row = experiments.get(session, experiment_id)
    try:
        artifact = experiments.artifact(session, experiment_id, REPORT_ARTIFACT)
    except NotFoundError:
        if row.kind in KINDS_WITH_FIGURES:
            raise NoSuchResourceError(
                f"The experiment is {row.status}; a {row.kind} has a report once it has succeeded."
            ) from None
        return HTMLResponse(_tables(session, row), headers=HEADERS)
    response = artifact_response(services, artifact)
    response.headers.update(HEADERS | {"Content-Type": "text/html; charset=utf-8"})
    return response


def _tables(session: Session, row: Experiment) -> str:
    wanted = MetricFilter(experiments=(row.id,))
    final = metrics.latest(session, wanted, limit=MOST_ROWS).rows
    history = metrics.poll(session, wanted, limit=MOST_ROWS).rows
    files = experiments.artifacts(session, [row.id])[row.id]
    config = json.dumps(row.config, indent=2, sort_keys=True, ensure_ascii=False)
    sections = [
        Section("state", "What it is and where it stands", [fields("The experiment", _state(row))]),
        Section("values", "Final values", _final_values(final)),
        Section("steps", "Step by step", _by_step([value for value in history if value.step is not None])),
        Section("configuration", "Configuration", [folded("Resolved, as JSON", code(config))]),
        Section("files", "Files", _files(files)),
    ]
    return page(row.name or row.id, f"Kind {row.kind}, {row.status}", sections, f"Experiment {row.id}")


def _state(row: Experiment) -> dict[str, str]:
    state = {
        "Kind": row.kind,
        "Status": row.status,
        "Dataset": row.dataset_id,
        "Backbone": row.backbone_id,
        "Model": row.model_id,
        "Seed": str(row.seed),
        "Attempts": str(row.attempt),
        "Accepted": row.created_at.isoformat(),
        "Finished": None if row.finished_at is None else row.finished_at.isoformat(),
        "Error": None if row.error_type is None else f"{row.error_type}: {row.error_message}",
    }
    return {name: text for name, text in state.items() if text is not None}


def _final_values(rows: Sequence[MetricRow]) -> list[Markup]:
    cells = [
        [
            row.name,
            row.split or "–",
            "–" if row.layer is None else str(row.layer),
            row.backbone or "–",
            number(row.value),
        ]
        for row in sorted(rows, key=lambda row: (row.name, row.split or "", row.layer or 0))
    ]
    head = ["Metric", "Split", "Layer", "Backbone", "Value"]
    return [table("The last value of every series", head, cells, numbers=1)] if cells else []


def _by_step(rows: Sequence[MetricRow]) -> list[Markup]:
    """One row per step, thinned evenly to `MOST_STEPS`; the last one is always there."""
    names = list(dict.fromkeys(row.name for row in rows))
    values = {(row.step, row.name): row.value for row in rows}
    steps = sorted({row.step for row in rows if row.step is not None})
    every = -(-len(steps) // MOST_STEPS) or 1
    shown = steps[::-1][::every][::-1]
    cells = [[str(step), *(number(values.get((step, name))) for name in names)] for step in shown]
    return [table("Values by step", ["Step", *names], cells, numbers=len(names))] if cells else []


def _files(artifacts: Sequence[Artifact]) -> list[Markup]:
    cells = [
        [
            element("a", file.name, href=f"artifacts/{quote(file.name, safe='')}"),
            file.media_type,
            f"{file.bytes:,}",
        ]
        for file in artifacts
    ]
    return [table("What it left", ["File", "Type", "Bytes"], cells, numbers=1)] if cells else []
