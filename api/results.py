"""The result table of a bulk classification: by page, as CSV or as the Parquet file it is."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import orjson
import pyarrow.parquet as pq
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.orm import Session

from api.downloads import artifact_response, attachment
from api.errors import NoSuchResourceError, StateConflictError
from api.listing import Page, decode_number_cursor, encode_cursor
from api.schemas.experiments import ClassifiedChunk
from api.services import Services
from db import experiments
from db.states import FINAL, Status
from db.tables import Artifact

RESULTS_ARTIFACT = "results.parquet"
ResultsFormat = Literal["json", "csv", "parquet"]
COLUMNS = tuple(ClassifiedChunk.model_fields)


def results_response(
    services: Services,
    session: Session,
    experiment_id: str,
    format: ResultsFormat,
    limit: int,
    cursor: str | None,
) -> Page[ClassifiedChunk] | Response:
    """A page of the table, or all of it in another format.

    Raises:
        NoSuchResourceError: the experiment is of another kind, or ended without results.
        StateConflictError: it isn't final yet.
    """
    artifact = _results_artifact(session, experiment_id)
    if format == "parquet":
        return artifact_response(services, artifact)
    # by page the same table is asked for again and again
    path = services.store.local_path(artifact.storage_key, artifact.sha256, recheck=format == "csv")
    if format == "csv":
        headers = {"Content-Disposition": attachment(f"{experiment_id}.csv")}
        return StreamingResponse(_csv_blocks(path), headers=headers, media_type="text/csv; charset=utf-8")
    return _read_page(path, limit, decode_number_cursor(cursor) or 0)


def _results_artifact(session: Session, experiment_id: str) -> Artifact:
    row = experiments.get(session, experiment_id)
    if row.kind != "classify":
        raise NoSuchResourceError(f"Results: expected an experiment of kind classify; found kind {row.kind}.")
    if row.status != Status.SUCCEEDED:
        if Status(row.status) in FINAL:
            raise NoSuchResourceError(f"The experiment is {row.status}; it left no results.")
        raise StateConflictError(f"The experiment is {row.status}; its results come when it has succeeded.")
    return experiments.artifact(session, experiment_id, RESULTS_ARTIFACT)


def _read_page(path: Path, limit: int, start: int) -> Page[ClassifiedChunk]:
    """Rows `start` to ``start + limit``; only the row groups they stand in are read."""
    chunks: list[ClassifiedChunk] = []
    with pq.ParquetFile(path) as table:
        num_rows = table.metadata.num_rows
        end, first = min(start + limit, num_rows), 0
        for group in range(table.num_row_groups):
            size = table.metadata.row_group(group).num_rows
            low, high = max(start, first) - first, min(end, first + size) - first
            if low < high:
                rows = table.read_row_group(group, columns=list(COLUMNS)).slice(low, high - low)
                chunks += [ClassifiedChunk.model_validate(row) for row in rows.to_pylist()]
            first += size
    return Page(
        data=chunks, has_more=end < num_rows, next_cursor=encode_cursor(end) if end < num_rows else None
    )


def _csv_blocks(path: Path) -> Iterator[str]:
    with pq.ParquetFile(path) as table:
        yield ",".join(COLUMNS) + "\r\n"
        for batch in table.iter_batches(batch_size=2048, columns=list(COLUMNS)):
            buffer = io.StringIO()
            writer = csv.writer(buffer)
            for row in batch.to_pylist():
                row["predicted"] = orjson.dumps(row["predicted"]).decode()
                writer.writerow(row[column] for column in COLUMNS)
            yield buffer.getvalue()
