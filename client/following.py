# Made from client/aio/following.py by `make client`; edit that one.
"""Watching an experiment until it is final."""

import time
from collections.abc import Callable, Iterator
from time import monotonic

from client.answers import FINAL
from client.experiments import Experiments
from client.metrics import Metrics
from client.update import Update


def follow(
    experiments: Experiments,
    metrics: Metrics,
    experiment_id: str,
    *,
    poll_seconds: float = 1.0,
    timeout_seconds: float | None = None,
    clock: Callable[[], float] = monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Update]:
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
        experiment = experiments.get(experiment_id)
        is_final = experiment["status"] in FINAL
        asked_at = clock()
        page = metrics.poll(
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
            sleep(pause)
