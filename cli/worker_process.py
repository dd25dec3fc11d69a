"""The worker processes of `sip serve`: started, started again when they die, stopped."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from db.settings import Settings

STOP_SECONDS = 8.0
"""Time a worker has to hand its experiment back before it is killed."""
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A worker that lived this long didn't die of its start: the next pause is short again."""


@contextmanager
def running_workers(settings: Settings, number: int) -> Iterator[None]:
    """Workers that run as long as the block. Several share out this machine's cores, unless OMP_NUM_THREADS
    says how many each may use."""
    threads = len(os.sched_getaffinity(0)) // number if number > 1 else None
    workers = [WorkerProcess(settings, threads) for _ in range(number)]
    try:
        for worker in workers:
            worker.start()
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


class WorkerProcess:
    """Keeps one `sip worker` running.

    The worker gets its settings, database password included, on its standard input: neither `ps` nor
    the environment shows them. That input stays open as its lifeline.

    Args:
        settings: of the worker.
        threads: it computes with, unless OMP_NUM_THREADS is set; None: its libraries choose.
    """

    def __init__(self, settings: Settings, threads: int | None) -> None:
        self._settings = settings
        limit = {} if threads is None else {"OMP_NUM_THREADS": str(max(1, threads))}
        self._environment = limit | os.environ
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_running, name="worker process", daemon=True)

    def start(self) -> None:
        """Start the worker, and another one whenever it ends."""
        self._thread.start()

    def terminate(self) -> None:
        """Ask the worker to hand back its experiment and end; no other one is started."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def wait(self) -> None:
        """Wait until it has ended after `terminate`; kill it when it takes longer than `STOP_SECONDS`."""
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        if self._thread.ident is not None:
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
                env=self._environment,
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
