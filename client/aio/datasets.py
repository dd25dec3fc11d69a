"""`/datasets`: corpora the service holds."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Literal, cast

from client.aio.connection import AsyncConnection, path_of
from client.aio.paging import iterate_pages
from client.answers import Dataset, Page, Source

READING_SECONDS = 1800.0
"""The service reads a corpus through before it answers; 1 GB takes minutes."""


class AsyncDatasets:
    """Corpora: add, look at, remove."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def upload(
        self, path: Path, name: str, *, format: str | None = None, idempotency_key: str | None = None
    ) -> Dataset:
        """Send a corpus file; it is read and checked before this returns.

        Args:
            path: a `.jsonl`, `.csv`, `.parquet`, `.tokens`, `.raw` (each also `.gz`) or `.zip` file.
            name: a name no other dataset has.
            format: where the file name doesn't tell it.
            idempotency_key: of your own, where another process may send the same; a new one unless given.

        Raises:
            ApiError: 422 names line and field of what can't be used; 409 the name is taken.
        """
        form = {"name": name} | ({"format": format} if format else {})
        with path.open("rb") as file:
            answer = await self._connection.make(
                "/datasets",
                idempotency_key=idempotency_key,
                form=form,
                files={"file": (path.name, file)},
                wait_seconds=READING_SECONDS,
            )
        return cast(Dataset, answer)

    async def builtin(
        self, builtin: str, name: str | None = None, *, idempotency_key: str | None = None
    ) -> Dataset:
        """Add a corpus the service makes itself, for example `python-docs`."""
        return await self._add(name or builtin, {"builtin": builtin}, idempotency_key)

    async def from_path(
        self, path: str, name: str, *, format: str | None = None, idempotency_key: str | None = None
    ) -> Dataset:
        """Import a file or folder of the workers' machines, within the configured data roots.

        This and the next two return at once, with the status `importing`; `Client.wait_for_dataset` waits.

        Args:
            path: of a file, or of a folder in the format its name tells.
            name: a name no other dataset has.
            format: where its name doesn't tell it.
        """
        return await self._add(name, {"path": path}, idempotency_key, format)

    async def from_uri(
        self, uri: str, name: str, *, format: str | None = None, idempotency_key: str | None = None
    ) -> Dataset:
        """Import a file of an object store, for example ``s3://bucket/corpus.jsonl.gz``."""
        return await self._add(name, {"uri": uri}, idempotency_key, format)

    async def from_hub(
        self,
        repo: str,
        name: str,
        *,
        config: str | None = None,
        split: str | None = None,
        text_column: str | None = None,
        source_column: str | None = None,
        revision: str | None = None,
        format: Literal["wikitext"] | None = None,
        idempotency_key: str | None = None,
    ) -> Dataset:
        """Import the data files of a dataset repository of the Hugging Face Hub.

        Args:
            repo: `owner/name`, one of the service's allow-list.
            name: a name no other dataset has.
            config: which configuration; its default one unless given.
            split: which split; all unless given, each document with its own.
            text_column: `text` unless given.
            source_column: `source` unless given.
            revision: branch, tag or commit.
            format: `wikitext` where the rows are its lines.
        """
        given = {
            "config": config,
            "split": split,
            "text_column": text_column,
            "source_column": source_column,
            "revision": revision,
        }
        named = {key: value for key, value in given.items() if value is not None}
        return await self._add(name, {"hub": {"repo": repo} | named}, idempotency_key, format)

    async def _add(
        self,
        name: str,
        origin: Mapping[str, str | Mapping[str, str]],
        idempotency_key: str | None,
        format: str | None = None,
    ) -> Dataset:
        answer = await self._connection.make(
            "/datasets",
            idempotency_key=idempotency_key,
            body={"name": name, "from": origin} | ({"format": format} if format else {}),
            wait_seconds=READING_SECONDS,
        )
        return cast(Dataset, answer)

    async def get(self, dataset: str) -> Dataset:
        """One dataset by id or name."""
        return cast(Dataset, await self._connection.request("GET", path_of("datasets", dataset)))

    async def list(
        self, *, limit: int = 50, cursor: str | None = None, order: Literal["asc", "desc"] | None = None
    ) -> Page[Dataset]:
        """One page of datasets."""
        query = {"limit": limit, "cursor": cursor, "order": order}
        return cast(Page[Dataset], await self._connection.request("GET", "/datasets", query=query))

    def sources(self, dataset: str) -> AsyncIterator[Source]:
        """Every source of a dataset, page by page."""

        async def page(cursor: str | None) -> Page[Source]:
            query = {"limit": 500, "cursor": cursor}
            answer = await self._connection.request(
                "GET", path_of("datasets", dataset, "sources"), query=query
            )
            return cast(Page[Source], answer)

        return iterate_pages(page)

    async def delete(self, dataset: str) -> None:
        """Remove a dataset; 409 while an experiment uses or imports it."""
        await self._connection.request("DELETE", path_of("datasets", dataset))
