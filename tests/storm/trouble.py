"""What the storm does to workers, servers and calls, at moments drawn from its seed."""

import heapq
import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psutil

from db.publisher import publish
from db.settings import Settings
from db.states import Queue
from tests.storm.fleet import Fleet, send
from tests.storm.servers import StormServers
from tests.worker.processes import job_processes

WORKER_SECONDS = (2.0, 6.0)
"""Shortest and longest time between two blows at a worker."""
POSTGRES_SECONDS = (25.0, 55.0)
REDIS_SECONDS = (20.0, 45.0)
CALLS_SECONDS = (0.3, 2.0)
_AWAY_SECONDS = (0.2, 3.0)
_STOPPED_LEASES = (0.3, 2.5)
"""How long a worker is stopped, in leases."""
_BLOWS = {"kill worker": 5, "kill job": 5, "stop both": 6, "stop worker": 2, "stop job": 2}

Event = Callable[[], None]


class Trouble:
    """Makes trouble in the caller's thread.

    Args:
        jobs: name → id of what has been submitted so far; it grows.
    """

    def __init__(
        self,
        settings: Settings,
        servers: StormServers,
        fleet: Fleet,
        num_workers: int,
        jobs: Mapping[str, str],
        generator: random.Random,
    ) -> None:
        self._settings = settings
        self._servers = servers
        self._fleet = fleet
        self._num_workers = num_workers
        self._jobs = jobs
        self._generator = generator
        self.counts: Counter[str] = Counter()
        self._agenda: list[tuple[float, int, Event]] = []
        self._numbers = itertools.count()
        self._stopped: set[psutil.Process] = set()

    def make(self, seconds: float) -> None:
        """Go on for so long; nothing is stopped or away afterwards."""
        end = time.monotonic() + seconds
        for event, pause in (
            (self._strike_worker, WORKER_SECONDS),
            (self._strike_postgres, POSTGRES_SECONDS),
            (self._strike_redis, REDIS_SECONDS),
            (self._call_again, CALLS_SECONDS),
        ):
            self._repeat(event, pause)
        while self._agenda[0][0] < end:
            moment, _, event = heapq.heappop(self._agenda)
            time.sleep(max(0.0, moment - time.monotonic()))
            event()
        time.sleep(max(0.0, end - time.monotonic()))
        for process in list(self._stopped):
            self._resume(process)

    def _repeat(self, event: Event, pause: tuple[float, float]) -> None:
        def once() -> None:
            event()
            self._repeat(event, pause)

        self._at(self._generator.uniform(*pause), once)

    def _at(self, seconds: float, event: Event) -> None:
        heapq.heappush(self._agenda, (time.monotonic() + seconds, next(self._numbers), event))

    def _strike_worker(self) -> None:
        worker = self._fleet.worker(self._generator.randrange(self._num_workers))
        blow = self._generator.choices(list(_BLOWS), weights=list(_BLOWS.values()))[0]
        leases = self._generator.uniform(*_STOPPED_LEASES)
        jobs = job_processes(worker.pid)
        targets = {"worker": [worker], "job": jobs, "both": [worker, *jobs]}[blow.split()[1]]
        is_kill = blow.startswith("kill")
        for process in targets:
            if not is_kill:
                self._stopped.add(process)
                self._at(leases * self._settings.lease_seconds, partial(self._resume, process))
            send(process, signal.SIGKILL if is_kill else signal.SIGSTOP)
        if targets:
            self.counts[f"{blow} ({'busy' if jobs else 'idle'})"] += 1

    def _resume(self, process: psutil.Process) -> None:
        self._stopped.discard(process)
        if process.is_running():  # the number may be another process's by now
            send(process, signal.SIGCONT)

    def _strike_postgres(self) -> None:
        signum = self._generator.choice([signal.SIGKILL, signal.SIGQUIT])
        self._servers.strike_postgres(signum, self._generator.uniform(*_AWAY_SECONDS))
        self.counts[f"restart PostgreSQL ({signum.name})"] += 1

    def _strike_redis(self) -> None:
        signum = self._generator.choice([signal.SIGKILL, signal.SIGTERM])
        self._servers.strike_redis(signum, self._generator.uniform(*_AWAY_SECONDS))
        self.counts[f"restart Redis ({signum.name})"] += 1

    def _call_again(self) -> None:
        """Deliver calls for a recent job again, several at once."""
        recent = list(self._jobs.values())[-8:]
        if not recent:
            return
        job, times = self._generator.choice(recent), self._generator.randint(1, 4)
        queues = [self._generator.choice(list(Queue)) for _ in range(times)]
        broker_url = self._settings.require_broker_url()
        with ThreadPoolExecutor(times) as pool:
            sent = sum(pool.map(lambda queue: publish(broker_url, job, queue), queues))
        self.counts["duplicate calls"] += sent
