"""Who waits for forward passes, and how much may wait."""

import math
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sip_model.inference.fair_queue import Turn
from sip_model.inference.speed import Speed


class QueueFullError(Exception):
    """More waits already than can be read in time."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class CallOverError(Exception):
    """The call was left, or the service stopped, while it waited."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """What may wait."""

    max_tokens: int
    """Of all calls together; a single larger call is taken while nothing else waits."""
    max_calls: int
    """Calls at a time."""
    patience_seconds: float
    """How long a call may wait to begin: one that would wait longer isn't taken, and one that has is
    refused."""


@dataclass(slots=True, eq=False)
class Call:
    """One caller's work, from when it is admitted until it is left."""

    tokens: int
    """Still to be read; estimated until its texts are tokenised."""
    deadline: float
    """When it must have begun, by the admission's clock."""
    turn: Turn = field(default_factory=Turn)
    is_estimate: bool = True
    has_begun: bool = False
    waits: set["Future[Any]"] = field(default_factory=set)
    """What its threads wait for."""

    def give_up(self, error: Exception) -> None:
        """Nothing more is done for the call: whatever waits for it gets the error."""
        self.turn.is_over = True
        while self.waits:
            self.waits.pop().set_exception(error)


class QueueState(NamedTuple):
    """What waits now."""

    calls: int
    tokens: int
    """Not yet read, of all calls."""
    tokens_per_second: float | None
    """As it was measured; None before anything was read."""


class Admission:
    """Counts the calls that are in, and the tokens that wait; for one thread at a time.

    Args:
        limits: what may wait.
        speed: what a wait is estimated from.
        clock: seconds, monotonic.
    """

    def __init__(self, limits: QueueLimits, speed: Speed, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._speed = speed
        self._clock = clock
        self._calls = 0
        self._tokens = 0

    def enter(self, tokens: int) -> Call:
        """Take a call in, or raise `QueueFullError` with the time after which there should be room.

        Args:
            tokens: about as many as its texts have.
        """
        speed = self._speed.tokens_per_second
        allowed = self._limits.max_tokens
        if speed is not None:
            allowed = min(allowed, int(speed * self._limits.patience_seconds))
        excess = self._tokens + tokens - allowed
        if self._calls >= self._limits.max_calls or (self._tokens and excess > 0):
            # what must be read until there is room: with too many calls, one of them
            raise QueueFullError(self._seconds(excess if excess > 0 else self._tokens / self._calls))
        self._calls += 1
        self._tokens += tokens
        return Call(tokens, self._clock() + self._limits.patience_seconds)

    def begin(self, call: Call) -> None:
        """It is a call's turn; raises `QueueFullError` when it has waited too long for the first one."""
        if not call.has_begun and self._clock() > call.deadline:
            raise QueueFullError(self._seconds(self._tokens))
        call.has_begun = True

    def count_in(self, call: Call, tokens: int) -> None:
        """Texts of a call were tokenised, to so many tokens."""
        known = 0 if call.is_estimate else call.tokens
        self._tokens += known + tokens - call.tokens
        call.tokens = known + tokens
        call.is_estimate = False

    def count_out(self, call: Call, tokens: int) -> None:
        """So many tokens of a call were read."""
        tokens = min(tokens, call.tokens)
        call.tokens -= tokens
        self._tokens -= tokens

    def leave(self, call: Call) -> None:
        """A call is over."""
        self._calls -= 1
        self.count_out(call, call.tokens)

    def _seconds(self, tokens: float) -> int:
        speed = self._speed.tokens_per_second
        return 1 if speed is None else max(1, math.ceil(tokens / speed))

    @property
    def state(self) -> QueueState:
        """What waits now."""
        return QueueState(self._calls, self._tokens, self._speed.tokens_per_second)
