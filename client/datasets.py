"""`/datasets`: corpora the service holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, cast

from client.answers import Dataset, Page, Source
from client.connection import Connection, path_of
from client.paging import iterate_pages

READING_SECONDS = 1800.0
"""The service reads a corpus through before it answers; 1 GB takes minutes."""


class Datasets:
    """Corpora: add, look at, remove."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upload(
        self, path: Path, name: str, *, format: str | None = None, idempotency_key: str | None = None
    ) -> Dataset:
        """Send a corpus file; it is read and checked before this returns.

        Args:
            path: a `.jsonl`, `.csv`, `.parquet` (each also `.gz`) or `.zip` file.
            name: a name no other dataset has.
            format: where the file name doesn't tell it.
            idempotency_key: of your own, where another process may send the same; a new one unless given.

        Raises:
            ApiError: 422 names line and field of what can't be used; 409 the name is taken.
        """
        form = {"name": name} | ({"format": format} if format else {})
        with path.open("rb") as file:
            answer = self._connection.make(
                "/datasets",
                idempotency_key=idempotency_key,
                form=form,
                files={"file": (path.name, file)},
                wait_seconds=READING_SECONDS,
            )
        return cast(Dataset, answer)

    def builtin(
        self, builtin: str, name: str | None = None, *, idempotency_key: str | None = None
    ) -> Dataset:
        """Add a corpus the service makes itself, for example `python-docs`."""
        return self._add(name or builtin, {"builtin": builtin}, idempotency_key)

    def from_path(self, path: str, name: str, *, idempotency_key: str | None = None) -> Dataset:
        """Add a file of the service's own machine, within its configured data roots."""
        return self._add(name, {"path": path}, idempotency_key)

    def _add(self, name: str, origin: dict[str, str], idempotency_key: str | None) -> Dataset:
        answer = self._connection.make(
            "/datasets",
            idempotency_key=idempotency_key,
            body={"name": name, "from": origin},
            wait_seconds=READING_SECONDS,
        )
        return cast(Dataset, answer)

    def get(self, dataset: str) -> Dataset:
        """One dataset by id or name."""
        return cast(Dataset, self._connection.request("GET", path_of("datasets", dataset)))

    def list(
        self, *, limit: int = 50, cursor: str | None = None, order: Literal["asc", "desc"] | None = None
    ) -> Page[Dataset]:
        """One page of datasets."""
        query = {"limit": limit, "cursor": cursor, "order": order}
        return cast(Page[Dataset], self._connection.request("GET", "/datasets", query=query))

    def sources(self, dataset: str) -> Iterator[Source]:
        """Every source of a dataset, page by page."""
        return iterate_pages(
            lambda cursor: cast(
                Page[Source],
                self._connection.request(
                    "GET", path_of("datasets", dataset, "sources"), query={"limit": 500, "cursor": cursor}
                ),
            )
        )

    def delete(self, dataset: str) -> None:
        """Remove a dataset; 409 while an experiment uses it."""
        self._connection.request("DELETE", path_of("datasets", dataset))
