"""What `test_process` forks: kinds that differ in how their import and their process end."""

import os
import signal
import subprocess
import sys
import time

from worker.assignment import Assignment

STATUS = 7
_FOREVER_SECONDS = 60


def find_job(kind: str) -> None:
    """Import as the kind's name says."""
    if kind == "imports slowly":
        time.sleep(_FOREVER_SECONDS)
    if kind == "dies on import":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "can't be imported":
        raise ImportError(kind)


def main() -> int:
    """Write ``session``, and ``pid`` with a grandchild's number, then do as the kind's name says."""
    assignment = Assignment.model_validate_json(sys.stdin.readline())
    (assignment.scratch / "session").write_text(str(os.getsid(0)))
    if assignment.kind == "is stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        grandchild = subprocess.Popen(["sleep", str(_FOREVER_SECONDS)])
        (assignment.scratch / "pids").write_text(f"{os.getpid()} {grandchild.pid}")
        time.sleep(_FOREVER_SECONDS)
    if assignment.kind == "waits":
        (assignment.scratch / "pids").write_text(f"{os.getpid()}")
        sys.stdin.read()  # ends with the supervisor
    return STATUS
