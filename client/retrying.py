"""When a request that may be sent again is sent again, and when it is given up."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from client.errors import ApiError, ClientError, ConnectionFailedError

BUSY = frozenset({429, 503})
IN_FLIGHT = "/problems/request-in-flight"


@dataclass(frozen=True, slots=True)
class Retrying:
    """Sends again what failed for a moment: 429, 503, no answer; and what is still being worked on (409)."""

    attempts: int = 4
    """How often a request is sent at most; waiting for one that is being worked on costs none. 1: once."""
    first_pause_seconds: float = 0.5
    """Pause before the second attempt, where the service names none; doubled before each one after that."""
    longest_pause_seconds: float = 60.0
    """A service that asks for a longer pause isn't waited for."""
    await_first_answer: bool = True
    """Whether one that has never answered is waited for where nothing listens. False: that is the end at
    once, which suits a person who may have named the wrong address."""
    clock: Callable[[], float] = time.monotonic

    def begin(self, patience_seconds: float, *, repeatable: bool = True, answered: bool = True) -> "Attempts":
        """The attempts at one request.

        Args:
            patience_seconds: how long to wait for one that is still being worked on.
            repeatable: whether sent twice it does what it does once. Where it doesn't, a lost answer is
                the end, since nobody knows whether the request was carried out.
            answered: whether the service has answered any request before.
        """
        return Attempts(self, self.clock() + patience_seconds, repeatable, answered)


class Attempts:
    """How often one request has failed so far."""

    def __init__(self, retrying: Retrying, give_up_at: float, repeatable: bool, answered: bool) -> None:
        self._retrying = retrying
        self._give_up_at = give_up_at
        self._repeatable = repeatable
        self._is_awaited = answered or retrying.await_first_answer
        self._failures = 0

    def pause_after(self, error: ClientError) -> float:
        """Seconds to wait before the request is sent again.

        Raises:
            ClientError: the error itself, where it is final.
        """
        asked_for = error.retry_after_seconds if isinstance(error, ApiError) else None
        if isinstance(error, ApiError) and error.type == IN_FLIGHT:
            if self._retrying.clock() >= self._give_up_at:
                raise error
        elif self._is_passing(error):
            self._failures += 1
        else:
            raise error
        too_long = asked_for is not None and asked_for > self._retrying.longest_pause_seconds
        if self._failures >= self._retrying.attempts or too_long:
            raise error
        return self._pause() if asked_for is None else asked_for

    def _is_passing(self, error: ClientError) -> bool:
        if isinstance(error, ApiError):
            return error.status in BUSY
        if not isinstance(error, ConnectionFailedError):
            return False
        return self._repeatable and (error.connected or self._is_awaited)

    def _pause(self) -> float:
        # spread, so that many clients of a service that was away don't come back in step
        longest = self._retrying.first_pause_seconds * 2.0 ** max(0, self._failures - 1)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # nothing secret
