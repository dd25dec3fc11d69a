"""Questions to parts of the service that may never answer."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar

Answer = TypeVar("Answer")


class _Outcome(NamedTuple, Generic[Answer]):
    answer: Answer | None
    error: Exception | None


class Probe(Generic[Answer]):
    """A question that blocks, asked in a thread of its own: who asks waits only as long as they like.

    Whoever asks while an earlier question is still unanswered waits for the same answer, so that a part that
    hangs holds one thread however often it is asked after.

    Args:
        question: called in the thread.
    """

    def __init__(self, question: Callable[[], Answer]) -> None:
        self._question = question
        self._pending: asyncio.Future[_Outcome[Answer]] | None = None

    async def ask(self, within_seconds: float) -> Answer:
        """The answer; raises what the question raises, and `TimeoutError`."""
        pending = self._pending
        if pending is None:
            loop = asyncio.get_running_loop()
            pending = self._pending = loop.create_future()
            # a daemon: a service that stops doesn't wait for a part that hangs
            threading.Thread(target=self._find_out, args=(loop, pending), name="probe", daemon=True).start()
        done, _ = await asyncio.wait({pending}, timeout=within_seconds)
        if not done:
            raise TimeoutError(f"no answer within {within_seconds:g} s")
        answer, error = pending.result()
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]  # without an error there is an answer

    def _find_out(self, loop: asyncio.AbstractEventLoop, pending: "asyncio.Future[_Outcome[Answer]]") -> None:
        try:
            outcome: _Outcome[Answer] = _Outcome(self._question(), None)
        except Exception as error:  # noqa: BLE001 - raised again where the answer is waited for
            outcome = _Outcome(None, error)
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(self._settle, pending, outcome)

    def _settle(self, pending: "asyncio.Future[_Outcome[Answer]]", outcome: "_Outcome[Answer]") -> None:
        self._pending = None
        if not pending.done():
            pending.set_result(outcome)
