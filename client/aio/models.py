"""`/models` and `/backbones`."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, cast

from client.aio.connection import AsyncConnection, path_of
from client.aio.paging import iterate_pages
from client.answers import Backbone, Model, Page, Source


class AsyncModels:
    """Trained source identifiers: look at, choose the default, fetch, remove."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, model: str) -> Model:
        """One model by id, name, `name@version` or `default`."""
        return cast(Model, await self._connection.request("GET", path_of("models", model)))

    async def list(
        self, *, limit: int = 50, cursor: str | None = None, order: Literal["asc", "desc"] | None = None
    ) -> Page[Model]:
        """One page of models."""
        query = {"limit": limit, "cursor": cursor, "order": order}
        return cast(Page[Model], await self._connection.request("GET", "/models", query=query))

    def sources(self, model: str) -> AsyncIterator[Source]:
        """Every source the model knows, page by page."""

        async def page(cursor: str | None) -> Page[Source]:
            query = {"limit": 500, "cursor": cursor}
            answer = await self._connection.request("GET", path_of("models", model, "sources"), query=query)
            return cast(Page[Source], answer)

        return iterate_pages(page)

    async def set_default(self, model: str) -> Model:
        """Let this model answer requests that name none."""
        return cast(Model, await self._connection.request("POST", path_of("models", model, "default")))

    async def download(self, model: str, target: Path) -> int:
        """Write the model (a zip of safetensors and JSON files) to `target`; returns its bytes."""
        return await self._connection.download(path_of("models", model, "download"), target)

    async def delete(self, model: str) -> None:
        """Remove a model; 409 for the default."""
        await self._connection.request("DELETE", path_of("models", model))


class AsyncBackbones:
    """Language models an experiment may name."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def list(self, *, limit: int = 500, cursor: str | None = None) -> Page[Backbone]:
        """What may be named as `backbone.id`."""
        query = {"limit": limit, "cursor": cursor}
        return cast(Page[Backbone], await self._connection.request("GET", "/backbones", query=query))
