"""Watching an experiment until it is final."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic

from client.aio.experiments import AsyncExperiments
from client.aio.metrics import AsyncMetrics
from client.answers import FINAL
from client.update import Update


async def follow(
    experiments: AsyncExperiments,
    metrics: AsyncMetrics,
    experiment_id: str,
    *,
    poll_seconds: float = 1.0,
    timeout_seconds: float | None = None,
    clock: Callable[[], float] = monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Update]:
    """Yield updates until the experiment is final; together they hold each metric row once.

    Args:
        poll_seconds: longest time between two updates.
        timeout_seconds: give up after that long; None: never.

    Raises:
        TimeoutError: the experiment was not final in time; it goes on running.
    """
    deadline = None if timeout_seconds is None else clock() + timeout_seconds
    since: int | str | None = None
    more = False
    while True:
        # State first, rows second: rows of a final experiment are all committed, so none is missed.
        experiment = await experiments.get(experiment_id)
        is_final = experiment["status"] in FINAL
        asked_at = clock()
        page = await metrics.poll(
            experiment=experiment_id, since=since, wait_seconds=0.0 if is_final or more else poll_seconds
        )
        since, more = page["next_since"], page["has_more"]
        yield Update(experiment, page["data"])
        if is_final and not more:
            return
        if deadline is not None and clock() >= deadline:
            raise TimeoutError(f"{experiment_id} is still {experiment['status']} after {timeout_seconds:g} s")
        # A stream of rows answers every poll at once; a quarter of the interval is live enough.
        pause = asked_at + poll_seconds / 4 - clock()
        if pause > 0 and not more:
            await sleep(pause)
