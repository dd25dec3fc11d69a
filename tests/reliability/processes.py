"""Processes as the kernel sees them."""

from pathlib import Path

import psutil


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be collected doesn't."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def resident_bytes(pid: int) -> int:
    """Memory of a process and all below it."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_own_bytes(process) for process in family)


def job_pid(gates: Path, attempt: int = 1) -> int:
    """The process of an attempt, which it wrote down before it opened its gate."""
    return int((gates / f"pid-{attempt}").read_text())


def _own_bytes(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
