"""What `GET /health/ready` finds."""

import shutil
from collections.abc import Callable

from api.schemas.health import Check, Ready, State
from api.services import Services
from db import models, workers
from db.errors import DatabaseUnavailableError, NotFoundError
from db.publisher import waiting_calls

LOW_DISK_BYTES = 1024**3
WORKER_SEEN_SECONDS = 60.0


def readiness(services: Services) -> Ready:
    """Look at every part; down only without the database or with a default model that doesn't load."""
    checks = {
        "database": _database(services),
        "broker": _broker(services),
        "workers": _needing_database(lambda: _workers(services)),
        "default_model": _needing_database(lambda: _default_model(services)),
        "disk": _disk(services),
    }
    is_down = any(checks[name].status == "down" for name in ("database", "default_model"))
    is_ok = all(check.status == "ok" for check in checks.values())
    status: State = "down" if is_down else "ok" if is_ok else "degraded"
    return Ready(status=status, checks=checks)


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
    return Check(status="ok", detail=f"it answers; {waiting} wake-up calls wait")


def _workers(services: Services) -> Check:
    with services.database.session() as session:
        seen = workers.seen(session, WORKER_SEEN_SECONDS)
    if not seen:
        return Check(status="degraded", detail=f"none seen in the last {WORKER_SEEN_SECONDS:g} s")
    return Check(status="ok", detail=f"{len(seen)} seen in the last {WORKER_SEEN_SECONDS:g} s")


def _default_model(services: Services) -> Check:
    with services.database.session() as session:
        try:
            row = models.get(session, models.DEFAULT)
        except NotFoundError:
            return Check(status="ok", detail="none is set")
    if services.engine.is_loaded(row.id):
        return Check(status="ok", detail=f"{row.id} is loaded")
    services.engine.load_soon(row)
    failure = services.engine.failure(row.id)
    if failure is not None:
        return Check(status="down", detail=f"{row.id} doesn't load: {failure}")
    return Check(status="degraded", detail=f"{row.id} is being loaded")


def _disk(services: Services) -> Check:
    services.settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(services.settings.data_dir).free
    detail = f"{free / 1024**3:.1f} GiB free"
    return Check(status="ok" if free >= LOW_DISK_BYTES else "degraded", detail=detail)


def _needing_database(look: Callable[[], Check]) -> Check:
    try:
        return look()
    except DatabaseUnavailableError:
        return Check(status="degraded", detail="not known while the database is away")
