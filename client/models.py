# Made from client/aio/models.py by `make client`; edit that one.
"""`/models` and `/backbones`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, cast

from client.answers import Backbone, Model, Page, Source
from client.connection import Connection, path_of
from client.paging import iterate_pages


class Models:
    """Trained source identifiers: look at, choose the default, fetch, remove."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, model: str) -> Model:
        """One model by id, name, `name@version` or `default`."""
        return cast(Model, self._connection.request("GET", path_of("models", model)))

    def list(
        self, *, limit: int = 50, cursor: str | None = None, order: Literal["asc", "desc"] | None = None
    ) -> Page[Model]:
        """One page of models."""
        query = {"limit": limit, "cursor": cursor, "order": order}
        return cast(Page[Model], self._connection.request("GET", "/models", query=query))

    def sources(self, model: str) -> Iterator[Source]:
        """Every source the model knows, page by page."""

        def page(cursor: str | None) -> Page[Source]:
            query = {"limit": 500, "cursor": cursor}
            answer = self._connection.request("GET", path_of("models", model, "sources"), query=query)
            return cast(Page[Source], answer)

        return iterate_pages(page)

    def set_default(self, model: str) -> Model:
        """Let this model answer requests that name none."""
        return cast(Model, self._connection.request("POST", path_of("models", model, "default")))

    def download(self, model: str, target: Path) -> int:
        """Write the model (a zip of safetensors and JSON files) to `target`; returns its bytes."""
        return self._connection.download(path_of("models", model, "download"), target)

    def delete(self, model: str) -> None:
        """Remove a model; 409 for the default."""
        self._connection.request("DELETE", path_of("models", model))


class Backbones:
    """Language models an experiment may name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, limit: int = 500, cursor: str | None = None) -> Page[Backbone]:
        """What may be named as `backbone.id`."""
        query = {"limit": limit, "cursor": cursor}
        return cast(Page[Backbone], self._connection.request("GET", "/backbones", query=query))
