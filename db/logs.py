"""Logging of every process of ours: one event per line on standard error, as JSON or for people.

Texts, keys, passwords, request bodies and query strings are never logged, by nobody; exceptions appear
without the values of variables (`db.tracebacks`). A key that a client has put where it doesn't belong, such
as a path, is blackened.
"""

import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from db.settings import Settings
from db.tracebacks import describe_exception

_OURS = ("api", "cli", "db", "sip_model", "worker", "__main__")
_QUIET = ("alembic", "httpx", "httpcore", "uvicorn")
"""Every step of these is no news; what they start and stop is said by `sip serve` itself."""

_KEY = re.compile(r"sip_[A-Za-z0-9_-]{20,}")
"""A key, or most of one."""

logger = logging.getLogger(__name__)


def set_up_logging(
    settings: Settings,
    process: str,
    *,
    worker: str | None = None,
    experiment: str | None = None,
    attempt: int | None = None,
    request_id: str | None = None,
) -> None:
    """Send structlog's and the standard library's records, and uncaught exceptions, to standard error.

    Every line of this process, whichever thread it comes from, carries the fields given here.

    Args:
        settings: ``log_level`` and ``log_format``. Only our own lines go below ``info``: what other
            libraries say there may hold anything.
        process: what this process is: ``api``, ``worker`` or ``job``.
        worker: name of the worker.
        experiment: id of the one experiment this process runs.
        attempt: number of the attempt at it.
        request_id: id of the HTTP request the experiment came with.
    """
    given = {"worker": worker, "experiment": experiment, "attempt": attempt, "request_id": request_id}
    fields = {"process": process} | {name: value for name, value in given.items() if value is not None}

    def add_fields(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {**fields, **event}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_fields,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(settings),
            ],
        )
    )
    _take_over(handler, settings.log_level.upper())


@contextmanager
def bind_experiment(
    experiment: str, *, attempt: int | None = None, request_id: str | None = None
) -> Iterator[None]:
    """Within the block, lines of this thread or task carry what is given here."""
    given = {"experiment": experiment, "attempt": attempt, "request_id": request_id}
    with structlog.contextvars.bound_contextvars(**{k: v for k, v in given.items() if v is not None}):
        yield


def bind_request(request_id: str) -> None:
    """From now on, lines of this task and of the threads it waits for carry the request's id.

    It stays bound until the task ends, so that what is logged of a request that failed carries it too.
    """
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)


def current_request_id() -> str | None:
    """Id of the HTTP request this thread or task works for; None outside of one."""
    request_id: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return request_id


def _renderer(settings: Settings) -> Processor:
    is_terminal = sys.stderr.isatty()
    render: Processor = structlog.processors.JSONRenderer()
    if settings.log_format == "console" or (settings.log_format == "auto" and is_terminal):
        render = structlog.dev.ConsoleRenderer(colors=is_terminal)

    def render_without_keys(log: WrappedLogger, method: str, event: EventDict) -> str:
        return _KEY.sub("sip_…", str(render(log, method, event)))

    return render_without_keys


def _describe_exc_info(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error_type"] = type(error).__name__
        event["exception"] = describe_exception(error)
    return event


def _take_over(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        logger.info("interrupted")
    else:
        logger.critical("uncaught exception", exc_info=(kind, error, frames))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and args.exc_type is not SystemExit:
        name = args.thread.name if args.thread is not None else "unknown"
        logger.critical("uncaught exception in thread %s", name, exc_info=args.exc_value)
