"""`GET /metrics`: what is new since a cursor, waiting for it where asked to."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from sqlalchemy.orm import Session

from api.looks import Answer
from api.services import Services
from db import datasets, metrics
from db.errors import NotFoundError
from db.metric_search import MetricPage

PAUSE_SECONDS = 0.2
"""Between two looks of one request, however often it is woken."""


class Poll(NamedTuple):
    """One request for metrics."""

    wanted: metrics.MetricFilter
    since: int
    limit: int
    latest: bool
    wait_seconds: float
    write: Callable[[MetricPage], bytes]
    """Makes the answer's body."""

    @property
    def key(self) -> tuple[object, ...]:
        """The same for requests that are answered alike at the same moment."""
        return (self.wanted, self.since, self.limit, self.latest, self.write)


async def poll_metrics(services: Services, poll: Poll) -> Answer:
    """Rows after `since`; with none, up to `wait_seconds` later.

    It doesn't wait when every experiment asked for is final, nor once the service is stopping.
    """
    deadline = time.monotonic() + poll.wait_seconds
    with services.waiting.woken(poll.wanted.experiments) as woken:
        while True:
            woken.clear()
            # shared by those alone who see the same
            key = (services.database.viewer, poll.key)
            answer = await services.looks.look(key, partial(_look, services, poll))
            left = deadline - time.monotonic()
            if answer.page.rows or not answer.may_follow or left <= 0 or services.stopping.is_set():
                return answer
            await first_of(services.stopping, timeout=min(left, PAUSE_SECONDS))
            left = deadline - time.monotonic()
            patience = services.waiting.patience_seconds
            await first_of(
                services.stopping, woken, timeout=left if patience is None else min(left, patience)
            )


async def first_of(*events: asyncio.Event, timeout: float) -> None:
    """Wait until one of the events is set, `timeout` seconds at most."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=max(0.0, timeout), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


def _look(services: Services, poll: Poll) -> Answer:
    """The answer there is now."""
    with services.database.session() as session:
        wanted = replace(
            poll.wanted, datasets=tuple(_dataset_name(session, name) for name in poll.wanted.datasets)
        )
        # asked before the rows are read: whatever a finishing experiment wrote is then in the page
        ended = bool(wanted.experiments) and metrics.all_final(session, wanted.experiments)
        find = metrics.latest if poll.latest else metrics.poll
        page = find(session, wanted, since=poll.since, limit=poll.limit)
    return Answer(page, poll.write(page), may_follow=not ended)


def _dataset_name(session: Session, id_or_name: str) -> str:
    """Rows carry the dataset's name, which stays when the dataset is deleted."""
    try:
        return datasets.get(session, id_or_name).name
    except NotFoundError:
        return id_or_name
