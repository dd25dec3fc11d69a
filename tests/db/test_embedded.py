"""The embedded servers: started, guarded, taken up again after a crash, stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
from sqlalchemy import text

from db.embedded import EmbeddedServers
from db.errors import EmbeddedServerError
from db.session import Database

_CRASHING_SERVICE = """
import os, sys
from pathlib import Path
from db.embedded import EmbeddedServers
urls = EmbeddedServers(Path(sys.argv[1])).start()
print(*urls, flush=True)
os._exit(1)
"""


def server_process(url: str) -> int:
    """Number of the server process that answers at this URL."""
    database = Database(url)
    with database.session() as session:
        line = session.scalar(text("SELECT pg_read_file('postmaster.pid')"))
    database.close()
    return int(str(line).split("\n")[0])


def test_servers_outlive_a_crash_are_taken_up_and_stop(tmp_path: Path) -> None:
    # a path too long for sockets, with characters that URLs treat specially
    data_dir = tmp_path / ("long name % " + "x" * 100)
    command = [sys.executable, "-c", _CRASHING_SERVICE, str(data_dir)]
    crashed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert crashed.returncode == 1, crashed.stderr
    database_url, broker_url = crashed.stdout.split()
    before = server_process(database_url)

    servers = EmbeddedServers(data_dir)
    urls = servers.start()
    assert urls == (database_url, broker_url)
    assert server_process(urls.database_url) == before
    with pytest.raises(EmbeddedServerError, match=f"in use by another service .process {os.getpid()}"):
        EmbeddedServers(data_dir).start()
    client = redis.Redis.from_url(urls.broker_url.replace("redis+socket", "unix"))
    assert client.ping()
    client.close()
    assert (data_dir / "postgres.password").stat().st_mode & 0o777 == 0o600

    started = time.monotonic()
    servers.stop()
    assert time.monotonic() - started < 20
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)

    # a reboot: the number in the stale file belongs to someone else now
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{data_dir / 'postgres'}\n")
    urls = servers.start()
    os.kill(server_process(urls.database_url), signal.SIGKILL)
    servers.stop()
    urls = servers.start()  # recovers from its log
    database = Database(urls.database_url)
    database.ping()
    database.close()
    servers.stop()


def test_a_binary_that_is_not_installed_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedServerError, match=r"\[embedded\]"):
        EmbeddedServers(tmp_path).start()


def test_a_folder_others_can_enter_is_not_used_for_sockets(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    with pytest.raises(EmbeddedServerError, match="only this user"):
        EmbeddedServers(tmp_path / ".").start()
