"""`GET /metrics`: what is new since a cursor, waiting for it where asked to."""

import asyncio
import contextlib
import csv
import io
import time
from dataclasses import replace
from typing import NamedTuple

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from api.schemas.metrics import MetricResource, MetricsPage
from api.services import Services
from db import datasets, metrics
from db.errors import NotFoundError

LOOK_EVERY_SECONDS = 0.25


class Poll(NamedTuple):
    """One request for metrics."""

    wanted: metrics.MetricFilter
    since: int
    limit: int
    latest: bool
    wait_seconds: float


async def poll_metrics(services: Services, poll: Poll) -> MetricsPage:
    """Rows after `since`; with none, up to `wait_seconds` later.

    It doesn't wait when every experiment asked for is final, nor once the service is stopping.
    """
    deadline = time.monotonic() + poll.wait_seconds
    while True:
        page, may_follow = await run_in_threadpool(_look, services, poll)
        left = deadline - time.monotonic()
        if page.data or not may_follow or left <= 0 or services.stopping.is_set():
            return page
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(services.stopping.wait(), min(left, LOOK_EVERY_SECONDS))


def metrics_csv(page: MetricsPage) -> str:
    """The page's rows as CSV with a header; null is an empty field."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(MetricResource.model_fields))
    writer.writeheader()
    writer.writerows(row.model_dump(mode="json") for row in page.data)
    return buffer.getvalue()


def _look(services: Services, poll: Poll) -> tuple[MetricsPage, bool]:
    """The page there is now, and whether more rows may follow."""
    with services.database.session() as session:
        wanted = replace(
            poll.wanted, datasets=tuple(_dataset_name(session, name) for name in poll.wanted.datasets)
        )
        # asked before the rows are read: whatever a finishing experiment wrote is then in the page
        ended = bool(wanted.experiments) and metrics.all_final(session, wanted.experiments)
        if poll.latest:
            rows = [row for row in metrics.latest(session, wanted, limit=poll.limit) if row.id > poll.since]
            next_since, has_more = max((row.id for row in rows), default=poll.since), len(rows) == poll.limit
        else:
            rows, next_since, has_more = metrics.poll(session, wanted, since=poll.since, limit=poll.limit)
    data = [MetricResource.of(row) for row in rows]
    return MetricsPage(data=data, next_since=next_since, has_more=has_more), not ended


def _dataset_name(session: Session, id_or_name: str) -> str:
    """Rows carry the dataset's name, which stays when the dataset is deleted."""
    try:
        return datasets.get(session, id_or_name).name
    except NotFoundError:
        return id_or_name
