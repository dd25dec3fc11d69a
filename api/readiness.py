"""What `GET /health/ready` finds: every part is asked at once, none longer than it may take."""

import asyncio
import shutil
from collections.abc import Callable, Iterator

import structlog

from api.probe import Probe
from api.schemas.health import Check, Ready, State
from api.services import Services
from db import models, statistics
from db.errors import DatabaseUnavailableError, NotFoundError, StorageError
from db.publisher import waiting_calls
from db.states import Queue
from db.statistics import QueueState, WorkerState

LOW_DISK_BYTES = 1024**3
PATIENCE_SECONDS = 3.5
"""How long a part may take to answer; the whole answer takes hardly longer."""
_NEEDED = ("database", "default_model")

_Look = Callable[[Services], Check]


class Readiness:
    """Looks at the parts of one application."""

    def __init__(self, services: Services) -> None:
        self._probes = {name: Probe(_bound(look, services)) for name, look in _LOOKS.items()}

    async def look(self) -> Ready:
        """Every part's state; down only without the database or with a default model that doesn't load."""
        found = await asyncio.gather(*(self._check(name) for name in self._probes))
        checks = dict(zip(self._probes, found, strict=True))
        is_down = any(checks[name].status == "down" for name in _NEEDED)
        is_ok = all(check.status == "ok" for check in checks.values())
        status: State = "down" if is_down else "ok" if is_ok else "degraded"
        return Ready(status=status, checks=checks)

    async def _check(self, name: str) -> Check:
        try:
            return await self._probes[name].ask(PATIENCE_SECONDS)
        except TimeoutError as error:
            needs_another = name in ("workers", "default_model")
            return Check(status="degraded" if needs_another else "down", detail=str(error))
        except DatabaseUnavailableError:
            return Check(status="degraded", detail="not known while the database is away")


def _bound(look: _Look, services: Services) -> Callable[[], Check]:
    return lambda: look(services)


def _database(services: Services) -> Check:
    try:
        services.database.ping()
    except DatabaseUnavailableError as error:
        return Check(status="down", detail=str(error))
    return Check(status="ok", detail="it answers")


def _broker(services: Services) -> Check:
    waiting = waiting_calls(services.settings.require_broker_url())
    if waiting is None:
        return Check(
            status="down", detail="it doesn't answer; experiments are accepted and start once it does"
        )
    return Check(status="ok", detail=f"it answers; {sum(waiting.values())} wake-up calls wait")


def _workers(services: Services) -> Check:
    within = services.settings.worker_seen_seconds
    with services.database.session() as session:
        seen = statistics.workers(session, within)
        queues = statistics.queues(session)
    lacking = list(_lacking(seen, within))
    detail = "; ".join(
        [*(lacking or [f"{len(seen)} seen in the last {within:g} s"]), *map(_describe, queues.items())]
    )
    return Check(status="degraded" if lacking else "ok", detail=detail)


def _lacking(seen: list[WorkerState], within_seconds: float) -> Iterator[str]:
    if not seen:
        yield f"none seen in the last {within_seconds:g} s"
        return
    for queue in Queue:
        if not any(queue in worker.queues for worker in seen):
            yield f"no worker takes the {queue} queue"


def _describe(queue: tuple[Queue, QueueState]) -> str:
    name, state = queue
    if not state.length:
        return f"{name}: none waits"
    return f"{name}: {state.length} wait, the oldest for {state.oldest_seconds:.0f} s"


def _default_model(services: Services) -> Check:
    with services.database.session() as session:
        try:
            row = models.get(session, models.DEFAULT)
        except NotFoundError:
            return Check(status="ok", detail="none is set")
    if services.engine.loading.has_model(row.id):
        return Check(status="ok", detail=f"{row.id} is loaded")
    services.engine.loading.load_soon(row)
    failure = services.engine.loading.failure(row.id)
    if failure is not None:
        return Check(status="down", detail=f"{row.id} doesn't load: {failure}")
    return Check(status="degraded", detail=f"{row.id} is being loaded")


def _artifacts(services: Services) -> Check:
    try:
        services.store.check()
    except (StorageError, OSError) as error:
        # it names addresses, which are nothing for whoever may ask
        structlog.get_logger().error("artifact store unavailable", reason=str(error))
        return Check(status="down", detail=f"{type(error).__name__}: the service's log says why")
    return Check(status="ok", detail="it answers")


def _disk(services: Services) -> Check:
    services.settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(services.settings.data_dir).free
    detail = f"{free / 1024**3:.1f} GiB free"
    return Check(status="ok" if free >= LOW_DISK_BYTES else "degraded", detail=detail)


_LOOKS: dict[str, _Look] = {
    "database": _database,
    "broker": _broker,
    "workers": _workers,
    "default_model": _default_model,
    "artifacts": _artifacts,
    "disk": _disk,
}
