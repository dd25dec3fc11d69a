"""The servers that come with the service: a real PostgreSQL and a real Redis in the data folder."""

import fcntl
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple, TextIO

from db.embedded_postgres import EmbeddedPostgres
from db.embedded_redis import EmbeddedRedis
from db.errors import EmbeddedServerError

# the kernel takes 107 bytes for a socket's path; the longest name below the folder is ".s.PGSQL.5432.lock"
_LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")


class ServerUrls(NamedTuple):
    """Where the embedded servers answer."""

    database_url: str
    broker_url: str


class EmbeddedServers:
    """PostgreSQL and Redis on a data folder, used by one service at a time.

    They outlive a crash of the service and are taken up again by the next start.

    Args:
        data_dir: the service's data folder; made when missing.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir.absolute()
        self._lock: TextIO | None = None
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None

    def start(self) -> ServerUrls:
        """Start both servers, or take up those that run already.

        Raises `EmbeddedServerError` when another service uses the folder, a binary isn't installed, or a
        server doesn't start; nothing that was started here stays behind then.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()
        try:
            sockets = _socket_folder(self._data_dir)
            self._redis = EmbeddedRedis(self._data_dir, sockets)
            self._postgres = EmbeddedPostgres(self._data_dir, sockets)
            broker_url = self._redis.start()
            return ServerUrls(self._postgres.start(), broker_url)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both servers and free the folder; within 20 s."""
        for server in (self._postgres, self._redis):
            if server is not None:
                server.stop()
        self._postgres = self._redis = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        path = self._data_dir / "serve.lock"
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise EmbeddedServerError(
                f"the data folder {self._data_dir} is in use by another service (process {owner}); "
                "stop that one, or choose another folder with --data-dir"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock


def running_database_url(data_dir: Path) -> str | None:
    """URL of the database of a service that runs on this data folder now; None when none does."""
    path = data_dir / "serve.lock"
    if not path.exists():
        return None
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            data_dir = data_dir.absolute()
            return EmbeddedPostgres(data_dir, _socket_folder(data_dir)).url()
    return None


def _socket_folder(data_dir: Path) -> Path:
    folder = data_dir / "run"
    if len(os.fsencode(folder)) > _LONGEST_SOCKET_FOLDER:
        name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"sip-{os.geteuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # in a shared temporary folder someone else may have made it first
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise EmbeddedServerError(f"{folder}: expected a folder that only this user can enter; remove it")
    return folder
