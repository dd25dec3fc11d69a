"""Wake-up calls, as the broker holds them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import redis

from db.publisher import publish, waiting_calls
from db.states import Queue

UNACKNOWLEDGED = "unacked"
"""Where the broker's client library keeps the calls it may have to deliver again."""


def call_at_once(broker_url: str, experiment_id: str, times: int) -> None:
    """Send this many calls for one experiment at the same moment."""
    together = Barrier(times)

    def call(_: int) -> bool:
        together.wait()
        return publish(broker_url, experiment_id, Queue.GPU)

    with ThreadPoolExecutor(times) as pool:
        assert all(pool.map(call, range(times)))


def all_taken(broker_url: str) -> Callable[[], bool]:
    """Asks whether workers have taken every call."""
    return lambda: sum((waiting_calls(broker_url) or {Queue.GPU: 1}).values()) == 0


def num_unacknowledged(broker_url: str) -> int:
    """Calls that were taken, and that the broker would deliver again if nobody settled them in time."""
    client = redis.Redis.from_url(broker_url.replace("redis+socket://", "unix://", 1))
    try:
        return int(client.hlen(UNACKNOWLEDGED))
    finally:
        client.close()
