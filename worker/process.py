"""The process of one attempt, seen from its supervisor."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from worker.assignment import Assignment


class AttemptProcess:
    """Starts a process in a session of its own and gives it its assignment.

    Its standard input stays open as long as this object's process lives: when the supervisor dies, however it
    does, the stream ends and the attempt's process ends itself.

    Args:
        command: what to start; ``python -m worker.child`` outside tests.
    """

    def __init__(self, command: Sequence[str], assignment: Assignment) -> None:
        self._process = subprocess.Popen(list(command), stdin=subprocess.PIPE, start_new_session=True)
        self._write(assignment.model_dump_json().encode() + b"\n")

    def has_ended(self, within_seconds: float) -> bool:
        """Whether the process has ended; waits at most this long for it."""
        try:
            self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, stop_seconds: float) -> int:
        """Ask the process to end, kill it and all it started after `stop_seconds`; returns its status."""
        if not self.has_ended(0):
            self._process.terminate()
            self.has_ended(stop_seconds)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        status = self._process.wait()
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        return status

    def _write(self, line: bytes) -> None:
        stream = self._process.stdin
        if stream is None:
            raise RuntimeError("the process was started without a standard input")
        with suppress(BrokenPipeError):  # it died at once; its exit status says why
            stream.write(line)
            stream.flush()
