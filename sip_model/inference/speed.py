"""How fast texts are read at present: what a wait is estimated from."""

import math
from collections.abc import Callable


class Speed:
    """Tokens per second of the time in which something was read, the last seconds counting most.

    Args:
        clock: seconds, monotonic.
        memory_seconds: of reading, after which what was measured counts e times less.
    """

    def __init__(self, clock: Callable[[], float], memory_seconds: float = 10.0) -> None:
        self._clock = clock
        self._memory_seconds = memory_seconds
        self._since = 0.0
        self._tokens = 0.0
        self._seconds = 0.0

    def begin(self) -> None:
        """Reading begins after a pause."""
        self._since = self._clock()

    def count(self, tokens: int) -> None:
        """So many tokens were read since the last call of this or of :meth:`begin`."""
        now = self._clock()
        seconds, self._since = now - self._since, now
        kept = math.exp(-seconds / self._memory_seconds)
        self._tokens = self._tokens * kept + tokens
        self._seconds = self._seconds * kept + seconds

    @property
    def tokens_per_second(self) -> float | None:
        """None before anything was read."""
        return self._tokens / self._seconds if self._seconds > 0 else None
