"""The process of an attempt, which knows the storm's kind too."""

from tests.storm.jobs import find_storm_job as find_job
from worker import child

__all__ = ["find_job", "main"]


def main() -> int:
    """Carry out an assignment; returns the exit status."""
    return child.main(find_job)
