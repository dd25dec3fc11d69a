"""PostgreSQL and Redis of the storm's own, which it kills and starts again."""

import os
import signal
import time
from pathlib import Path

import redis

from db.embedded import ServerUrls
from db.embedded_postgres import EmbeddedPostgres
from db.embedded_redis import EmbeddedRedis
from db.errors import EmbeddedServerError

_START_SECONDS = 60.0


class StormServers:
    """Both servers, on a folder short enough for sockets.

    Args:
        folder: everything they keep; only this user may enter it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        sockets = folder / "run"
        sockets.mkdir(mode=0o700)
        self._postgres = EmbeddedPostgres(folder, sockets)
        self._redis = EmbeddedRedis(folder, sockets)

    def start(self) -> ServerUrls:
        """Start both."""
        return ServerUrls(self._postgres.start(), self._redis.start())

    def stop(self) -> None:
        """Stop both."""
        self._postgres.stop()
        self._redis.stop()

    def strike_postgres(self, signum: signal.Signals, away_seconds: float) -> None:
        """End PostgreSQL by SIGKILL, or by SIGQUIT (its immediate shutdown), and start it again."""
        pid = int((self._folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signum)
        self._postgres.stop()
        time.sleep(away_seconds)
        _start_patiently(self._postgres)

    def strike_redis(self, signum: signal.Signals, away_seconds: float) -> None:
        """End Redis, with every call it holds, by SIGKILL or SIGTERM, and start it again."""
        os.kill(self._redis_pid(), signum)
        self._redis.stop()
        time.sleep(away_seconds)
        _start_patiently(self._redis)

    def _redis_pid(self) -> int:
        client = redis.Redis(unix_socket_path=str(self._folder / "run" / "redis.sock"))
        try:
            return int(client.info("server")["process_id"])
        finally:
            client.close()


def _start_patiently(server: EmbeddedPostgres | EmbeddedRedis) -> None:
    # processes of a killed PostgreSQL may hold its memory for a moment
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.start()
        except EmbeddedServerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
