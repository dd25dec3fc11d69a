"""How much a key may ask for, counted at the broker's Redis, so that all API processes count together.

While Redis is away each process counts by itself: a key may then ask each of them for as much, and what was
counted before comes back with Redis.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import structlog
from fastapi.concurrency import run_in_threadpool
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from api.errors import TooManyRequestsError
from db.settings import Settings

AWAY_SECONDS = 5.0
"""Redis that didn't answer isn't asked again for so long."""
PATIENCE_SECONDS = 0.5
"""How long Redis may take to answer."""
_PREFIX = "sip-limits"
_UNLIMITED = 0


class Limits(NamedTuple):
    """What a key may ask for; 0: any number, null: as many as the settings say."""

    requests_per_minute: int | None
    texts_per_day: int | None


class Limited(Protocol):
    """Whoever is counted."""

    @property
    def key_id(self) -> str:
        """The key that is counted."""
        ...

    @property
    def limits(self) -> Limits:
        """What it may ask for."""
        ...


class Quotas:
    """Counts requests and texts in sliding windows.

    Args:
        settings: what a key may ask for that says nothing of it itself, and where Redis is.
        clock: seconds, monotonic.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        shared = RedisStorage(
            settings.require_broker_url().replace("redis+socket://", "redis+unix://", 1),
            key_prefix=_PREFIX,
            wrap_exceptions=True,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 1),  # type: ignore[arg-type]  # handed on to redis-py, which takes it
        )
        self._redis = shared.storage
        self._shared = SlidingWindowCounterRateLimiter(shared)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._away_until = -math.inf
        self._lock = threading.Lock()

    def admit(self, holder: Limited) -> None:
        """Count a request; raises `TooManyRequestsError` when it is one too many."""
        wanted = holder.limits.requests_per_minute
        limit = self._settings.requests_per_minute if wanted is None else wanted
        if limit != _UNLIMITED:
            self._count(RateLimitItemPerMinute(limit), holder, 1, f"at most {limit} requests a minute")

    def spend_texts(self, holder: Limited, num_texts: int) -> None:
        """Count texts to be read; raises `TooManyRequestsError`, and counts none, when they are too many."""
        wanted = holder.limits.texts_per_day
        limit = self._settings.texts_per_day if wanted is None else wanted
        if limit != _UNLIMITED:
            self._count(RateLimitItemPerDay(limit), holder, num_texts, f"at most {limit} texts in 24 hours")

    def close(self) -> None:
        """Close the connections to Redis."""
        self._redis.close()

    def _count(self, item: RateLimitItem, holder: Limited, cost: int, expected: str) -> None:
        wait_seconds = self._wait(self._limiter(), item, holder, cost)
        if wait_seconds is None:
            return
        raise TooManyRequestsError(
            f"This key may ask for {expected}; this would be more. Try again later.",
            headers={"Retry-After": str(wait_seconds)},
        )

    def _limiter(self) -> SlidingWindowCounterRateLimiter:
        return self._own if self._clock() < self._away_until else self._shared

    def _wait(
        self, limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, holder: Limited, cost: int
    ) -> int | None:
        """Seconds to wait for it; None: it is counted."""
        try:
            if limiter.hit(item, holder.key_id, cost=cost):
                return None
            reset_time = limiter.get_window_stats(item, holder.key_id).reset_time
        except StorageError as error:
            self._note_away(error)
            return self._wait(self._own, item, holder, cost)
        return max(1, math.ceil(reset_time - time.time()))

    def _note_away(self, error: StorageError) -> None:
        with self._lock:
            if self._clock() < self._away_until:
                return
            self._away_until = self._clock() + AWAY_SECONDS
        structlog.get_logger().warning(
            "requests are counted by this process alone", reason=type(error.storage_error).__name__
        )


class TextQuota(NamedTuple):
    """What the texts of one request are counted against."""

    quotas: Quotas | None
    """Null where no keys are asked for: nothing is counted."""
    holder: Limited | None

    async def spend(self, given: str | Sequence[str]) -> None:
        """Count the texts of a request; raises `TooManyRequestsError`."""
        if self.quotas is not None and self.holder is not None:
            num_texts = 1 if isinstance(given, str) else len(given)
            await run_in_threadpool(self.quotas.spend_texts, self.holder, num_texts)
