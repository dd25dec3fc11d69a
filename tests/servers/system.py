"""The machine's own PostgreSQL and Redis, started for the tests on free ports and removed after them."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis

from db.embedded import ServerUrls
from tests.cli.service import until
from tests.servers.s3 import free_port

_START_SECONDS = 60.0
_ADDRESS = "127.0.0.1"
_USER = "sip"


def missing() -> str | None:
    """What has to be installed before these servers can be started; None: nothing."""
    packages = []
    if _postgres_binary("postgres") is None or _postgres_binary("initdb") is None:
        packages.append("postgresql")
    if shutil.which("redis-server") is None:
        packages.append("redis-server")
    return f"apt-get install {' '.join(packages)}" if packages else None


class SystemServers:
    """One PostgreSQL and one Redis, each with a password, on ports of 127.0.0.1."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sip-servers-"))
        self._processes: list[subprocess.Popen[bytes]] = []
        self._password = secrets.token_urlsafe(16)

    def start(self) -> ServerUrls:
        """Start both."""
        return ServerUrls(self.start_postgres(), self._start_redis())

    def start_postgres(self) -> str:
        """Start PostgreSQL alone; returns its URL."""
        cluster, port = self._folder / "postgres", free_port()
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        self._hand_over(self._folder, password_file)
        options = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={_USER}")
        initdb = self._run("initdb", *options, f"--pwfile={password_file}", f"--pgdata={cluster}")
        assert initdb.wait() == 0, self._log.read_text(errors="replace")
        settings = (f"listen_addresses={_ADDRESS}", f"port={port}", f"unix_socket_directories={self._folder}")
        process = self._run("postgres", "-D", str(cluster), *(f"--{setting}" for setting in settings))
        self._processes.append(process)
        url = f"{_USER}:{self._password}@{_ADDRESS}:{port}/postgres"
        self._await(process, lambda: psycopg.connect(f"postgresql://{url}").close())
        return f"postgresql+psycopg://{url}"

    def stop(self) -> None:
        """Stop what was started, and remove its folder."""
        for process in self._processes:
            process.send_signal(signal.SIGINT)  # for PostgreSQL: without waiting for its clients
        for process in self._processes:
            process.wait()
        shutil.rmtree(self._folder)

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _start_redis(self) -> str:
        port = free_port()
        options = {
            "--port": str(port),
            "--bind": _ADDRESS,
            "--requirepass": self._password,
            "--dir": str(self._folder),
            "--save": "",
        }
        arguments = [part for option in options.items() for part in option]
        process = self._start(["redis-server", *arguments], None)
        self._processes.append(process)
        url = f"redis://:{self._password}@{_ADDRESS}:{port}/0"
        client = redis.Redis.from_url(url)
        self._await(process, client.ping)
        client.close()
        return url

    def _run(self, binary: str, *arguments: str) -> subprocess.Popen[bytes]:
        path = _postgres_binary(binary)
        assert path is not None, missing()
        return self._start([path, *arguments], _other_user())

    def _start(self, command: list[str], user: str | None) -> subprocess.Popen[bytes]:
        group = None if user is None else pwd.getpwnam(user).pw_gid
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
            )

    def _await(self, process: subprocess.Popen[bytes], ask: Callable[[], object]) -> None:
        def answers() -> bool:
            assert process.poll() is None, self._log.read_text(errors="replace")
            try:
                ask()
            except (psycopg.OperationalError, redis.ConnectionError):
                return False
            return True

        until(answers, _START_SECONDS)

    def _hand_over(self, *paths: Path) -> None:
        user = _other_user()
        for path in paths:
            if user is not None:
                shutil.chown(path, user)


def _postgres_binary(name: str) -> str | None:
    """The one on the path, else the newest where Debian puts them."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]), reverse=True
    )
    return shutil.which(name) or next(map(str, debian), None)


def _other_user() -> str | None:
    """Whom PostgreSQL runs as, which refuses root; None: as ourselves."""
    if os.geteuid() != 0:
        return None
    return "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else "nobody"
