"""When a request that may be sent again is sent again, and when it is given up."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from client.errors import ApiError, ConnectionFailedError

Answer = TypeVar("Answer")
BUSY = frozenset({429, 503})
IN_FLIGHT = "/problems/request-in-flight"


@dataclass(frozen=True, slots=True)
class Retrying:
    """Sends again what failed for a moment: no answer, 429, 503; and what is still being worked on (409).

    Only for requests that make nothing twice.
    """

    attempts: int = 4
    """How often a request is sent at most; waiting for one that is being worked on costs none."""
    first_pause_seconds: float = 0.5
    """Pause before the second attempt, where the service names none; doubled before each one after that."""
    longest_pause_seconds: float = 60.0
    """A service that asks for a longer pause isn't waited for."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def run(self, send: Callable[[], Answer], patience_seconds: float) -> Answer:
        """The first answer that settles it.

        Args:
            send: sends the request once.
            patience_seconds: how long to wait for one that is still being worked on.

        Raises:
            ApiError: the service refused, or stayed busy.
            ConnectionFailedError: no answer came, however often it was asked.
        """
        give_up_at = self.clock() + patience_seconds
        failures = 0
        while True:
            try:
                return send()
            except ApiError as error:
                if error.status not in BUSY and error.type != IN_FLIGHT:
                    raise
                if error.type == IN_FLIGHT:
                    if self.clock() >= give_up_at:
                        raise
                else:
                    failures += 1
                pause = error.retry_after_seconds
                if failures >= self.attempts or (pause is not None and pause > self.longest_pause_seconds):
                    raise
            except ConnectionFailedError:
                failures += 1
                pause = None
                if failures >= self.attempts:
                    raise
            self.sleep(self._pause(failures) if pause is None else pause)

    def _pause(self, failures: int) -> float:
        # spread, so that many clients of a service that was away don't come back in step
        longest = self.first_pause_seconds * 2.0 ** max(0, failures - 1)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # nothing secret
