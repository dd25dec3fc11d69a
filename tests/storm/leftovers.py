"""Which processes a storm has left behind: whatever outlives its parent becomes a child of this process."""

import ctypes
import os
import time

import psutil

_SET_CHILD_SUBREAPER = 36  # of prctl(2)
_GRACE_SECONDS = 5.0


def adopt_orphans() -> None:
    """From now on, be the parent of every process below this one whose own parent ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def leftovers() -> list[psutil.Process]:
    """Processes below this one that still run; those about to end get a moment for that."""
    deadline = time.monotonic() + _GRACE_SECONDS
    while (left := _running()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def _running() -> list[psutil.Process]:
    below = psutil.Process(os.getpid()).children(recursive=True)
    return [process for process in below if process.status() != psutil.STATUS_ZOMBIE]
