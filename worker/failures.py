"""From an exception to the reason an experiment shows."""

import errno
import signal

from db.claims import Failure

_LONGEST_MESSAGE = 2000
_NO_MEMORY = "can't allocate memory"
"""Stands in what torch raises when a processor's memory doesn't suffice, which has no type of its own."""


def describe(error: Exception) -> Failure:
    """The type and message of what a job raised; lack of memory and of disk are named as such."""
    name = type(error).__name__
    message = str(error) or name
    if isinstance(error, MemoryError) or name == "OutOfMemoryError" or _NO_MEMORY in message:
        message = f"out of memory: {message}; try fewer sources, a smaller batch_size or fewer layers"
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        message = f"the disk is full: {message}"
    return Failure(name, _storable(message))


def describe_exit(status: int | None) -> Failure:
    """Why a process that ended without writing a result did so, from its exit status (None: unknown)."""
    if status is None:
        return Failure("ProcessDied", "the experiment's process ended without a result, nobody knows how")
    if status >= 0:
        return Failure("ProcessDied", f"the experiment's process ended with status {status} and no result")
    name = signal.Signals(-status).name
    hint = " (often: out of memory)" if -status == signal.SIGKILL else ""
    return Failure("ProcessDied", f"the experiment's process was ended by {name}{hint}")


def describe_overdue(max_seconds: float) -> Failure:
    """Why an attempt was ended that ran for too long."""
    return Failure(
        "TimeLimit",
        f"it took longer than the {max_seconds:g} seconds an experiment may take; try fewer sources or "
        "epochs, or raise SIP_MAX_JOB_SECONDS",
    )


def _storable(message: str) -> str:
    # PostgreSQL takes neither NUL nor lone surrogates
    cleaned = message.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
    return cleaned if len(cleaned) <= _LONGEST_MESSAGE else cleaned[:_LONGEST_MESSAGE] + "…"
