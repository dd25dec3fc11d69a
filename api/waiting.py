"""Requests that wait for experiments: woken by notices, and by the clock while none can arrive."""

import asyncio
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from db.notices import Listener

LOOK_EVERY_SECONDS = 1.0
"""How often a request looks by itself while no notices arrive."""


class Waiting:
    """The waiting requests of one application; made and used in its event loop.

    Args:
        database_url: where the notices come from. The connection is opened for the first waiting request.
    """

    def __init__(self, database_url: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = Listener(database_url, self._heard)
        self._started = False
        self._by_experiment: dict[str, set[asyncio.Event]] = {}
        self._for_any: set[asyncio.Event] = set()

    @contextmanager
    def woken(self, experiments: Sequence[str]) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happens to one of these experiments; none: to any."""
        if not self._started:
            self._started = True
            self._listener.start()
        event = asyncio.Event()
        groups = [self._by_experiment.setdefault(name, set()) for name in experiments] or [self._for_any]
        for group in groups:
            group.add(event)
        try:
            yield event
        finally:
            for group in groups:
                group.discard(event)
            for name in experiments:
                if not self._by_experiment.get(name, True):
                    del self._by_experiment[name]

    @property
    def patience_seconds(self) -> float:
        """How long to wait for a notice before looking without one."""
        return math.inf if self._listener.is_listening else LOOK_EVERY_SECONDS

    def close(self) -> None:
        """Stop listening; must not be called in the event loop."""
        self._listener.stop()

    def _heard(self, experiment_id: str | None) -> None:
        self._loop.call_soon_threadsafe(self._wake, experiment_id)

    def _wake(self, experiment_id: str | None) -> None:
        if experiment_id is None:
            woken = self._for_any.union(*self._by_experiment.values())
        else:
            woken = self._for_any | self._by_experiment.get(experiment_id, set())
        for event in woken:
            event.set()
