"""`/metrics`: poll results."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, cast

from client.aio.connection import AsyncConnection
from client.answers import Metric, MetricPage
from client.frames import pandas_frame, polars_frame

if TYPE_CHECKING:
    import pandas
    import polars


class AsyncMetrics:
    """Metric rows, in the order they were recorded."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def poll(
        self,
        *,
        experiment: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        split: str | None = None,
        backbone: str | None = None,
        dataset: str | None = None,
        layer: int | None = None,
        seed: int | None = None,
        parent: str | Sequence[str] | None = None,
        since: int | str | None = None,
        limit: int | None = None,
        latest: bool = False,
        wait_seconds: float = 0.0,
    ) -> MetricPage:
        """One page of rows.

        Args:
            experiment: one id or several.
            name: one name or several; `*` matches anything, for example ``eval/*``.
            parent: rows of the children of one experiment or several.
            since: the last page's `next_since`; only rows after it are returned.
            limit: rows at most, 1 to 5000 (1000 unless given).
            latest: only the newest row of each metric.
            wait_seconds: 0 to 30; with nothing new, how long the service may hold the answer back.
        """
        query = {
            "experiment": experiment,
            "name": name,
            "split": split,
            "backbone": backbone,
            "dataset": dataset,
            "layer": layer,
            "seed": seed,
            "parent": parent,
            "since": since,
            "limit": limit,
            "latest": "true" if latest else None,
            "wait": wait_seconds or None,
        }
        return cast(
            MetricPage,
            await self._connection.request("GET", "/metrics", query=query, wait_seconds=wait_seconds),
        )

    async def iterate(
        self,
        *,
        experiment: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        split: str | None = None,
        parent: str | Sequence[str] | None = None,
        limit: int = 5000,
    ) -> AsyncIterator[Metric]:
        """Every row there is now, page by page."""
        since: int | str | None = None
        while True:
            page = await self.poll(
                experiment=experiment, name=name, split=split, parent=parent, since=since, limit=limit
            )
            for row in page["data"]:
                yield row
            since = page["next_since"]
            if not page["has_more"]:
                return

    async def to_pandas(
        self,
        *,
        experiment: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        split: str | None = None,
        parent: str | Sequence[str] | None = None,
    ) -> "pandas.DataFrame":
        """Every row there is now as a frame of pandas, one column per field; times are in UTC.

        Raises:
            ImportError: pandas isn't installed (the extra `pandas`).
        """
        rows = self.iterate(experiment=experiment, name=name, split=split, parent=parent)
        return pandas_frame([row async for row in rows])

    async def to_polars(
        self,
        *,
        experiment: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        split: str | None = None,
        parent: str | Sequence[str] | None = None,
    ) -> "polars.DataFrame":
        """Every row there is now as a frame of polars, one column per field; times are in UTC.

        Raises:
            ImportError: polars isn't installed (the extra `polars`).
        """
        rows = self.iterate(experiment=experiment, name=name, split=split, parent=parent)
        return polars_frame([row async for row in rows])
