# Made from client/aio/experiments.py by `make client`; edit that one.
"""`/experiments`: everything that takes time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

from client.answers import Experiment, LogPage, Page
from client.connection import Connection, path_of


class Experiments:
    """Experiments: start, look at, cancel, fetch what they left."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self,
        kind: str,
        dataset: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        name: str | None = None,
        seed: int | None = None,
        idempotency_key: str | None = None,
    ) -> Experiment:
        """Queue an experiment.

        Args:
            kind: `train`, `evaluate`, `classify`, `suite`, …
            dataset: id or name; a suite may name several in its config instead.
            config: the blocks that differ from the defaults, for example ``{"chunk": {"num_words": 64}}``.
            name: a trained model takes this name.
            seed: of the split, the initial weights and the order of samples.
            idempotency_key: of your own, where another process may send the same; a new one unless given.

        Raises:
            ApiError: 422 names the field that can't be used; 404 there is no such dataset.
        """
        given = {"kind": kind, "dataset": dataset, "config": config, "name": name, "seed": seed}
        body = {key: value for key, value in given.items() if value is not None}
        answer = self._connection.make("/experiments", idempotency_key=idempotency_key, body=body)
        return cast(Experiment, answer)

    def get(self, experiment_id: str) -> Experiment:
        """One experiment, with its progress and final metrics."""
        return cast(Experiment, self._connection.request("GET", path_of("experiments", experiment_id)))

    def list(
        self,
        *,
        kind: str | None = None,
        status: str | None = None,
        dataset: str | None = None,
        parent: str | None = None,
        name: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        order: Literal["asc", "desc"] | None = None,
    ) -> Page[Experiment]:
        """One page of experiments."""
        query = {
            "kind": kind,
            "status": status,
            "dataset": dataset,
            "parent": parent,
            "name": name,
            "limit": limit,
            "cursor": cursor,
            "order": order,
        }
        return cast(Page[Experiment], self._connection.request("GET", "/experiments", query=query))

    def cancel(self, experiment_id: str) -> Experiment:
        """Ask a queued or running experiment and its children to stop; 409 when it is final already."""
        return cast(
            Experiment,
            self._connection.request("POST", path_of("experiments", experiment_id, "cancel")),
        )

    def retry(self, experiment_id: str) -> Experiment:
        """Queue a failed or cancelled experiment again, from its last checkpoint, and such children of it;
        409 in any other state."""
        return cast(
            Experiment, self._connection.request("POST", path_of("experiments", experiment_id, "retry"))
        )

    def delete(self, experiment_id: str) -> None:
        """Remove a final experiment with its metrics, artifacts and children."""
        self._connection.request("DELETE", path_of("experiments", experiment_id))

    def log(self, experiment_id: str, *, since: int = 0, limit: int = 1000) -> LogPage:
        """What has happened to it, oldest first: states, attempts and why they ended, phases, warnings.

        Args:
            since: `next_since` of the page before: only what came after it.
            limit: lines at most, up to 5000.
        """
        answer = self._connection.request(
            "GET", path_of("experiments", experiment_id, "log"), query={"since": since, "limit": limit}
        )
        return cast(LogPage, answer)

    def results(
        self, experiment_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[dict[str, Any]]:
        """One page of a bulk classification's result table."""
        query = {"limit": limit, "cursor": cursor}
        answer = self._connection.request(
            "GET", path_of("experiments", experiment_id, "results"), query=query
        )
        return cast(Page[dict[str, Any]], answer)

    def download_results(self, experiment_id: str, target: Path, *, format: Literal["csv", "parquet"]) -> int:
        """Write a bulk classification's whole result table to `target`; returns its bytes."""
        return self._connection.download(
            path_of("experiments", experiment_id, "results"), target, query={"format": format}
        )

    def download(self, experiment_id: str, artifact: str, target: Path) -> int:
        """Write one artifact to `target`; returns its bytes."""
        return self._connection.download(path_of("experiments", experiment_id, "artifacts", artifact), target)

    def download_report(self, experiment_id: str, target: Path) -> int:
        """Write the report, one self-contained HTML page, to `target`; returns its bytes."""
        return self._connection.download(path_of("experiments", experiment_id, "report"), target)
