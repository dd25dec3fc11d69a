"""`GET /experiments/{id}/events`: what happens to one experiment, as it happens, until it is final."""

import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import NamedTuple, Self

import orjson
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from api.polling import PAUSE_SECONDS, first_of
from api.schemas.events import StatusChange
from api.schemas.experiments import Progress
from api.schemas.log import LogEntry
from api.schemas.metrics import metric_rows
from api.services import Services
from api.waiting import LOOK_EVERY_SECONDS
from db import experiments, log_lines, metrics
from db.errors import DatabaseUnavailableError, NotFoundError
from db.states import FINAL

EVENTS_TYPE = "text/event-stream"
END = "-end"
"""Behind the id of the final status."""
EVENT_ID = rf"^[0-9]{{1,18}}-[0-9]{{1,18}}({END})?$"
"""What the id of an event looks like."""
ROWS = 1000
"""Metrics, and lines of the log, that are read at a time."""
QUIET_SECONDS = 15.0
"""Without an event for so long, a comment says that the connection stands."""
LONGEST_SECONDS = 60.0
"""After so long a stream ends, and with the next one its client's key is looked at again."""
RETRY_MILLISECONDS = 2000
"""How long a client waits before it connects again."""


class Cursor(NamedTuple):
    """Where a stream is: ids of the last metric and of the last line of the log that were sent."""

    metric: int = 0
    line: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """An event's id, which looks as `EVENT_ID` says."""
        metric, line = text.removesuffix(END).split("-")
        return cls(int(metric), int(line))

    def __str__(self) -> str:
        return f"{self.metric}-{self.line}"


class Event(NamedTuple):
    """One thing that happened."""

    name: str
    data: bytes
    """JSON."""
    cursor: Cursor
    """Where the stream is after it."""


class Look(NamedTuple):
    """What the database says of the experiment at one moment."""

    events: Sequence[Event]
    """New metrics and lines of the log, in their order."""
    status: bytes
    progress: bytes
    """JSON of both, sent where they have changed."""
    cursor: Cursor
    has_more: bool
    is_final: bool


def look_at(services: Services, experiment_id: str, cursor: Cursor) -> Look:
    """What came after the cursor; `NotFoundError`."""
    with services.database.session() as session:
        # asked before the rows are read: whatever a finishing experiment wrote is then among them
        row = experiments.get(session, experiment_id)
        status, is_final = StatusChange.of(row), row.status in FINAL
        progress = Progress.model_validate(row, from_attributes=True)
        page = metrics.poll(
            session, metrics.MetricFilter(experiments=(experiment_id,)), since=cursor.metric, limit=ROWS
        )
        log = log_lines.read(session, experiment_id, since=cursor.line, limit=ROWS)
        events = []
        for number, data in metric_rows(page):
            cursor = cursor._replace(metric=number)
            events.append(Event("metric", data, cursor))
        cursor = cursor._replace(metric=page.next_since)
        for line in log.lines:
            cursor = cursor._replace(line=line.id)
            events.append(Event("log", _json(LogEntry.model_validate(line)), cursor))
    return Look(events, _json(status), _json(progress), cursor, page.has_more or log.has_more, is_final)


async def events_response(
    services: Services, experiment_id: str, last_event_id: str | None, *, is_followed: bool
) -> Response:
    """The stream after an event; at its end 204, after which clients connect no more; `NotFoundError`.

    Args:
        is_followed: whether it goes on with what is to come.
    """
    cursor = Cursor() if last_event_id is None else Cursor.parse(last_event_id)
    look = await _look(services, experiment_id, cursor)
    has_seen_end = last_event_id is not None and last_event_id.endswith(END)
    if has_seen_end and look.is_final and not look.events:
        return Response(status_code=204)
    return StreamingResponse(
        event_stream(services, experiment_id, look, is_followed=is_followed), media_type=EVENTS_TYPE
    )


async def event_stream(
    services: Services, experiment_id: str, first: Look, *, is_followed: bool
) -> AsyncIterator[bytes]:
    """The events of a stream that begins with `first`, in the format of server-sent events.

    It ends with what there is, unless it is followed; else when the experiment is final and everything was
    sent, when it is deleted, or when the service stops. It also ends where the database is away, and after
    `LONGEST_SECONDS`: a client connects again, and goes on where it was.
    """
    look, status, progress = first, b"", b""
    last_sent = time.monotonic()
    end = last_sent + LONGEST_SECONDS
    yield format_sse_event(retry=RETRY_MILLISECONDS)
    with services.waiting.woken([experiment_id]) as woken:
        while True:
            blocks = [
                format_sse_event(event=event.name, data_str=event.data.decode(), id=str(event.cursor))
                for event in look.events
            ]
            if look.progress != progress:
                progress = look.progress
                blocks.append(format_sse_event(event="progress", data_str=progress.decode()))
            # the final status comes when all else is there
            if look.status != status and not look.has_more:
                status = look.status
                number = f"{look.cursor}{END}" if look.is_final else str(look.cursor)
                blocks.append(format_sse_event(event="status", data_str=status.decode(), id=number))
            if not blocks and time.monotonic() - last_sent >= QUIET_SECONDS:
                blocks.append(KEEPALIVE_COMMENT)
            if blocks:
                last_sent = time.monotonic()
                yield b"".join(blocks)
            if not look.has_more and (look.is_final or not is_followed):
                return
            if services.stopping.is_set() or time.monotonic() >= end:
                return
            if not look.has_more:
                await first_of(services.stopping, timeout=PAUSE_SECONDS)
                await first_of(services.stopping, woken, timeout=LOOK_EVERY_SECONDS - PAUSE_SECONDS)
            woken.clear()
            try:
                look = await _look(services, experiment_id, look.cursor)
            except (NotFoundError, DatabaseUnavailableError):
                return


async def _look(services: Services, experiment_id: str, cursor: Cursor) -> Look:
    # shared by those alone who see the same
    key = (services.database.viewer, "events", experiment_id, cursor)
    return await services.looks.look(key, partial(look_at, services, experiment_id, cursor))


def _json(model: BaseModel) -> bytes:
    return orjson.dumps(model.model_dump(mode="json"))
