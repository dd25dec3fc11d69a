"""The process of an attempt, with the jobs of the tests."""

from tests.worker.jobs import find_test_job as find_job
from worker import child

__all__ = ["find_job", "main"]


def main() -> int:
    """Carry out an assignment; returns the exit status."""
    return child.main(find_job)
