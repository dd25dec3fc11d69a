"""Metrics as clients see them."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

import orjson
from pydantic import BaseModel, Field

from db.metric_search import MetricPage, MetricRow


class MetricResource(BaseModel):
    """One measured value."""

    experiment: str = Field(description="Id of the experiment that measured it.")
    name: str = Field(description="What was measured, for example `eval/accuracy`.")
    value: float | None = Field(description="The value; null where it was not a finite number.")
    step: int | None = Field(description="Training step; null for a final value.")
    split: str | None = Field(description="Part it was measured on: train, validation, calibration or test.")
    layer: int | None = Field(description="Layer of the backbone (0: embeddings), for values by layer.")
    seed: int | None = Field(description="Seed of the experiment.")
    backbone: str | None = Field(description="Backbone id.")
    dataset: str | None = Field(description="Name of the dataset.")
    recorded_at: datetime = Field(description="When it was recorded, RFC 3339, UTC.")


class MetricsPage(BaseModel):
    """What is new since a cursor."""

    data: list[MetricResource] = Field(description="Values in the order they became visible.")
    next_since: int = Field(description="`since` of the next poll; no value committed late is ever skipped.")
    has_more: bool = Field(
        description="Whether more values wait right now; the page may be shorter than `limit` even so."
    )


# A page holds up to 5000 rows, polled again and again: they are written without a model for each.
_FIELDS = tuple(MetricResource.model_fields)


def metric_rows(page: MetricPage) -> Iterator[tuple[int, bytes]]:
    """The id of each row, and the row as a `MetricResource`."""
    for row in page.rows:
        yield row.id, orjson.dumps(_fields(row), option=orjson.OPT_UTC_Z)


def metrics_json(page: MetricPage) -> bytes:
    """The page as a `MetricsPage`."""
    data = [_fields(row) for row in page.rows]
    document = {"data": data, "next_since": page.next_since, "has_more": page.has_more}
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


def _fields(row: MetricRow) -> dict[str, object]:
    return dict(zip(_FIELDS, row[1:], strict=True))


def metrics_csv(page: MetricPage) -> bytes:
    """The page's rows as CSV with a header; null is an empty field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_FIELDS)
    for row in page.rows:
        writer.writerow([*row[1:-1], row.recorded_at.isoformat().replace("+00:00", "Z")])
    return buffer.getvalue().encode()
