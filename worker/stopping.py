"""SIGTERM as a job's process takes it: at once, or after one more checkpoint."""

import signal
import threading
from types import FrameType


class Terminated(BaseException):
    """The supervisor asked this process to end; no `Exception`, so that no job swallows it."""


class StopRequest:
    """Turns SIGTERM into `Terminated`, raised in the main thread.

    A job that keeps checkpoints gets `grace_seconds` to write one more, so that the next attempt loses
    nothing; any other is ended where it stands.
    """

    def __init__(self, grace_seconds: float) -> None:
        self._grace_seconds = grace_seconds
        self._asked = threading.Event()
        self._writes_checkpoints = False

    def listen(self) -> None:
        """Take SIGTERM from now on; call it from the main thread."""
        signal.signal(signal.SIGTERM, self._on_sigterm)
        signal.signal(signal.SIGALRM, _end)

    def expect_checkpoints(self, expected: bool) -> None:
        """Say whether the job is where it writes checkpoints every now and then."""
        self._writes_checkpoints = expected

    def is_asked(self) -> bool:
        """Whether a checkpoint is wanted now."""
        return self._asked.is_set()

    def obey(self) -> None:
        """End the job here, if that was asked for; raises `Terminated`."""
        if self._asked.is_set():
            raise Terminated

    def _on_sigterm(self, _signum: int, _frame: FrameType | None) -> None:
        if not self._writes_checkpoints:
            raise Terminated
        self._asked.set()
        signal.setitimer(signal.ITIMER_REAL, self._grace_seconds)


def _end(_signum: int, _frame: FrameType | None) -> None:
    raise Terminated
