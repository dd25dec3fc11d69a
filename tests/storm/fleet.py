"""The workers of the storm: real processes, each started again when it ends."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import psutil

from db.settings import Settings

_LOOK_SECONDS = 0.2
_STOP_SECONDS = 30.0
_COMMAND = (sys.executable, "-m", "tests.storm.worker_process")


class Fleet:
    """A number of places, a worker at each.

    Args:
        logs: folder of the workers' logs, one for each place.
    """

    def __init__(self, settings: Settings, size: int, logs: Path) -> None:
        self._settings = settings
        self._logs = logs
        self.exits: Counter[int] = Counter()
        """Exit status → how many workers ended with it before the fleet was stopped."""
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._workers = [self._start(place) for place in range(size)]
        self._thread = threading.Thread(target=self._keep_running, name="fleet")
        self._thread.start()

    def worker(self, place: int) -> psutil.Process:
        """The worker at a place."""
        with self._lock:
            return psutil.Process(self._workers[place].pid)

    def stop(self) -> list[int]:
        """End all by SIGTERM; returns their exit statuses, -9 for one that had to be killed."""
        self._stopping.set()
        self._thread.join()
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        return [_wait(worker) for worker in self._workers]

    def _keep_running(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            for place, worker in enumerate(self._workers):
                status = worker.poll()
                if status is not None:
                    self.exits[status] += 1
                    with self._lock:
                        self._workers[place] = self._start(place)

    def _start(self, place: int) -> "subprocess.Popen[bytes]":
        with (self._logs / f"worker-{place}.log").open("ab") as log:
            worker = subprocess.Popen(
                _COMMAND, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        assert worker.stdin is not None
        worker.stdin.write(self._settings.model_dump_json().encode() + b"\n")
        worker.stdin.close()
        return worker


def send(process: psutil.Process, signum: signal.Signals) -> bool:
    """Send a signal; whether the process was there."""
    try:
        os.kill(process.pid, signum)
    except ProcessLookupError:
        return False
    return True


def _wait(worker: "subprocess.Popen[bytes]") -> int:
    try:
        return worker.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        return worker.wait()
