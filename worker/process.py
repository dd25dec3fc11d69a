"""The process of one attempt, and the template it is forked from, seen from their supervisor."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from worker.assignment import Assignment

TEMPLATE_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "worker.template", "worker.child")


class Template:
    """The process that attempts' processes are forked from; started when needed, and again when it died.

    Args:
        command: what it is started with. The last word is a module with ``main``, which carries out an
            attempt, and ``find_job``, which imports what a kind of experiment needs.
    """

    def __init__(self, command: Sequence[str] = TEMPLATE_COMMAND) -> None:
        self._command = list(command)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    def start(self, kind: str, stdin: int) -> int:
        """Order a process with this standard input; its number can be read from the pipe that is returned."""
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self._end()
            if self._orders is None:
                self._orders = self._launch()
            return self._order({"start": kind}, stdin)

    def collect(self, pid: int) -> int:
        """Order the exit status of a process, which can be read from the pipe that is returned."""
        with self._lock:
            return self._order({"collect": pid})

    def end(self) -> int | None:
        """End it at once, importing or not; its exit status, None if it wasn't there. Its forks go on."""
        with self._lock:
            return self._end()

    def _launch(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(self._command, stdin=theirs.fileno(), start_new_session=True)
        return ours

    def _order(self, order: dict[str, str] | dict[str, int], *descriptors: int) -> int:
        answer, theirs = os.pipe()
        try:
            if self._orders is not None:
                with suppress(BrokenPipeError, ConnectionResetError):
                    socket.send_fds(self._orders, [json.dumps(order).encode()], [theirs, *descriptors])
        finally:
            os.close(theirs)
        return answer

    def _end(self) -> int | None:
        process, orders = self._process, self._orders
        self._process = self._orders = None
        if orders is not None:
            orders.close()
        if process is None:
            return None
        process.kill()
        return process.wait()


class AttemptProcess:
    """A process in a session of its own, forked from a template and given its assignment.

    Its standard input stays open as long as this object's process lives: when the supervisor dies, however it
    does, the stream ends and the attempt's process ends itself.

    Args:
        kind: of the experiment; the template imports what it needs.
    """

    def __init__(self, template: Template, kind: str, assignment: Assignment) -> None:
        self._template, self._assignment = template, assignment
        self._pid: int | None = None
        self._ending: int | None = None
        """Descriptor that can be read when the process has ended."""
        stdin, self._stdin = os.pipe()
        try:
            self._answer = template.start(kind, stdin)
        finally:
            os.close(stdin)

    def has_ended(self, within_seconds: float) -> bool:
        """Whether the process has ended; waits at most this long for it."""
        if self._ending is None:
            # the template imports first what the kind needs
            if not _is_readable(self._answer, within_seconds):
                return False
            self._begin()
            return self._ending is None
        return _is_readable(self._ending, within_seconds)

    def end(self, stop_seconds: float) -> int | None:
        """Ask the process to end, kill it and all it started after `stop_seconds`.

        Returns its exit status, or that of the template if it ended first; None where nobody knows it.
        """
        try:
            if self._ending is None and _is_readable(self._answer, 0):
                self._begin()
            if self._pid is None or self._ending is None:
                return self._template.end()
            if not _is_readable(self._ending, 0):
                os.kill(self._pid, signal.SIGTERM)
                _is_readable(self._ending, stop_seconds)
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
            _is_readable(self._ending, None)
            answer = self._template.collect(self._pid)
            try:
                return _read_number(answer)
            finally:
                os.close(answer)
        finally:
            self._close()

    def _begin(self) -> None:
        """Give the process its assignment; it has none before, and would end without one."""
        self._pid = _read_number(self._answer)
        if self._pid is None:
            return
        with suppress(ProcessLookupError):  # the template died, and this process was nobody's
            self._ending = os.pidfd_open(self._pid)
        with suppress(BrokenPipeError):  # it died at once; its exit status says why
            os.write(self._stdin, self._assignment.model_dump_json().encode() + b"\n")

    def _close(self) -> None:
        for descriptor in (self._stdin, self._answer, self._ending):
            if descriptor is not None:
                os.close(descriptor)


def _is_readable(descriptor: int, within_seconds: float | None) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if within_seconds is None else 1000 * within_seconds))


def _read_number(descriptor: int) -> int | None:
    """The number in a pipe, None when its other end was closed without one."""
    text = os.read(descriptor, 32)
    return int(text) if text else None
