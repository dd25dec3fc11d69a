"""The worker process of `sip serve`: started, started again when it dies, stopped."""

import subprocess
import sys
import threading
import time
from typing import Self

import structlog

from db.settings import Settings

STOP_SECONDS = 8.0
"""Time a worker has to hand its experiment back before it is killed."""
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A worker that lived this long didn't die of its start: the next pause is short again."""


class WorkerProcess:
    """Keeps one `sip worker` running; a context manager.

    The worker gets its settings, database password included, on its standard input: neither `ps` nor
    the environment shows them. That input stays open as its lifeline.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_running, name="worker process", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join(STOP_SECONDS)

    def _keep_running(self) -> None:
        log = structlog.get_logger()
        pause_seconds = 1.0
        while not self._stopping.is_set():
            started_at = time.monotonic()
            process = self._start()
            if process is None:
                return
            code = process.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - started_at > STEADY_SECONDS:
                pause_seconds = 1.0
            log.warning("worker ended, starting another", exit_code=code, pause_seconds=pause_seconds)
            self._stopping.wait(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)

    def _start(self) -> "subprocess.Popen[bytes] | None":
        with self._lock:
            if self._stopping.is_set():
                return None
            # A session of its own: Ctrl-C in the terminal is for `sip serve`, which then stops the worker.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.main", "worker", "--settings-from-input"],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            self._process = process
        if process.stdin is not None:
            try:
                process.stdin.write(self._settings.model_dump_json().encode() + b"\n")
                process.stdin.flush()
            except BrokenPipeError:
                structlog.get_logger().error("worker ended before it had read its settings")
        return process
