"""SIGTERM as an exception, so that `with` blocks undo what they did."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(BaseException):
    """This process was told to stop by SIGTERM."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Within the block SIGTERM raises `Terminated`, as SIGINT raises `KeyboardInterrupt`."""
    previous = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within the block both signals are ignored: an orderly end in progress is let finish.

    What it waits for has deadlines of its own.
    """
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _raise_terminated(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
