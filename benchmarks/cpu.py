"""CPU time of groups of processes, which other work on the machine stretches less than the clock's time."""

from collections.abc import Iterable
from contextlib import suppress

import psutil


class CpuMeter:
    """Counts the CPU time that processes, and all they have started, use from now on.

    What a process used that has ended between two looks isn't counted.
    """

    def __init__(self, processes: Iterable[psutil.Process]) -> None:
        self._processes = tuple(processes)
        self._before = self._spent()

    def seconds(self) -> float:
        """CPU seconds since the beginning."""
        return sum(spent - self._before.get(pid, 0.0) for pid, spent in self._spent().items())

    def _spent(self) -> dict[int, float]:
        found: dict[int, float] = {}
        for process in self._processes:
            for each in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    times = each.cpu_times()
                    found[each.pid] = float(times.user + times.system)
        return found


def chromium_of_this() -> list[psutil.Process]:
    """The first processes of the browsers that this process has started."""
    started = psutil.Process().children(recursive=True)
    chromium = {each.pid for each in started if each.name().startswith("chrom")}
    return [each for each in started if each.pid in chromium and each.ppid() not in chromium]
