"""Exceptions as text that may be logged: where they happened, and no word that could quote someone's text."""

import traceback
from collections.abc import Iterator

from psycopg import OperationalError

_OURS = frozenset({"api", "cli", "client", "db", "sip_model", "worker"})
"""Our own errors say what was expected and found, and never quote the input."""
_QUOTES_NOTHING = (OSError, RuntimeError, MemoryError, ImportError, OperationalError)
_WITHHELD = "(its message is withheld: it may quote the input)"
_MAX_LINKS = 10


def describe_exception(error: BaseException) -> str:
    """Tracebacks of an exception and what led to it, oldest first, without the values of variables.

    Messages of other libraries' errors are left out unless they speak of files, memory or connections:
    those of a parser or a validator quote what they were given.
    """
    return "\n".join(_describe(link) for link in reversed(list(_links(error))))


def _describe(error: BaseException) -> str:
    lines = ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
    kind = type(error)
    is_ours = kind.__module__.partition(".")[0] in _OURS
    message = str(error) if is_ours or isinstance(error, _QUOTES_NOTHING) else _WITHHELD
    lines.append(f"{kind.__module__.removeprefix('builtins').lstrip('.') or 'builtins'}.{kind.__name__}: ")
    lines.append(message)
    if isinstance(error, BaseExceptionGroup):
        lines.extend(f"\n{describe_exception(part)}" for part in error.exceptions)
    return "".join(lines)


def _links(error: BaseException) -> Iterator[BaseException]:
    """The error, its cause, the cause's cause, …"""
    link: BaseException | None = error
    for _ in range(_MAX_LINKS):
        if link is None:
            return
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
