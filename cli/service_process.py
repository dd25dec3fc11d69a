"""`sip serve` as a child process: started, waited for, stopped."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from client import ApiError, Client, ConnectionFailedError

READY_SECONDS = 180.0
"""The first start makes a database and loads a tensor library, on a cold disk too."""
STOP_SECONDS = 20.0
LOG_LINES = 15


class ServiceFailedError(Exception):
    """The service ended or didn't become ready; the message holds the end of its log."""


class ServiceProcess:
    """A service on a data folder.

    Args:
        data_dir: the service's data folder.
        port: where it shall listen.
        log: file its output is appended to.
        workers: how many it runs.
        environment: variables it has beside those of this process.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        log: Path,
        workers: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._port = port
        self.log = log
        self._workers = workers
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the service; its data folder is made when missing."""
        self._data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        options = ["--host", "127.0.0.1", "--port", str(self._port), "--data-dir", str(self._data_dir)]
        options += ["--workers", str(self._workers)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.main", "serve", "--lifeline", *options],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal is for the caller, who then stops the service in order.
                start_new_session=True,
            )

    def stop(self) -> None:
        """Stop the service, if it was started; kill it when it takes longer than `STOP_SECONDS`."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def wait_until_ready(self, client: Client, poll_seconds: float = 0.2) -> None:
        """Wait until `/health/ready` says that the service works and has a worker.

        Raises:
            ServiceFailedError: it ended, or it isn't ready after `READY_SECONDS`; the message says why.
        """
        deadline = time.monotonic() + READY_SECONDS
        while (lacking := _lacking(client)) is not None:
            self.check()
            if time.monotonic() >= deadline:
                raise ServiceFailedError(
                    f"not ready after {READY_SECONDS:g} s: {lacking}{self._end_of_log()}"
                )
            time.sleep(poll_seconds)

    def check(self) -> None:
        """Raise `ServiceFailedError` if the service has ended."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise ServiceFailedError(f"the service ended with exit code {code}{self._end_of_log()}")

    def wait(self) -> None:
        """Wait until the service ends by itself, which it shouldn't.

        Raises:
            ServiceFailedError: it did.
        """
        if self._process is not None:
            self._process.wait()
        self.check()

    def _end_of_log(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        except OSError as error:
            return f"; its log {self.log} can't be read: {error.strerror}"
        return "\n".join([f"; the end of its log ({self.log}):", *(f"  | {line}" for line in lines)])


def _lacking(client: Client) -> str | None:
    """What a service lacks to run an experiment; None: nothing."""
    try:
        health = client.ready()
    except (ConnectionFailedError, ApiError) as error:
        return str(error)
    checks = health.get("checks", {})
    # A nearly full disk or a lost default model is no reason not to start; a missing worker is.
    has_worker = "workers" in checks and checks["workers"]["status"] == "ok"
    if health["status"] == "ok" or (health["status"] == "degraded" and has_worker):
        return None
    failing = (f"{name}: {check.get('detail')}" for name, check in checks.items() if check["status"] != "ok")
    return ", ".join(failing) or health["status"]
