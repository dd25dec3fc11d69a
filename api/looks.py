"""Looks at the database that several requests share, so that many of them woken at once cost one."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

from fastapi.concurrency import run_in_threadpool

from db.metric_search import MetricPage

Found = TypeVar("Found")
LOOKS_AT_ONCE = 4
"""However many requests wait, others find a free thread and a free connection."""


class Answer(NamedTuple):
    """What a look finds."""

    page: MetricPage
    body: bytes
    """The page, written out."""
    may_follow: bool
    """Whether more rows may come."""


class Looks:
    """Runs looks in threads, few at a time; a request that comes before a look begins shares it.

    It never shares one that has begun: that may not see what the request was woken for.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._to_begin: dict[Hashable, asyncio.Task[Any]] = {}

    async def look(self, key: Hashable, look: Callable[[], Found]) -> Found:
        """What `look` returns, or another request's look with the same key, which must find the same."""
        task = self._to_begin.get(key)
        if task is None:
            task = self._to_begin[key] = asyncio.ensure_future(self._run(key, look))
        # a request that is given up doesn't take the others' look with it
        found: Found = await asyncio.shield(task)
        return found

    async def _run(self, key: Hashable, look: Callable[[], Found]) -> Found:
        async with self._slots:
            del self._to_begin[key]
            return await run_in_threadpool(look)
