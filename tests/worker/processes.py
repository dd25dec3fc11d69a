"""The processes of attempts, as the kernel sees them."""

import psutil


def job_processes(worker_pid: int) -> list[psutil.Process]:
    """Those that run below a worker; empty when it has none, or is gone."""
    try:
        return [p for p in psutil.Process(worker_pid).children(recursive=True) if _is_running_job(p)]
    except psutil.NoSuchProcess:
        return []


def _is_running_job(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and " ".join(process.cmdline()).startswith("sip job ")
    except psutil.NoSuchProcess:
        return False
