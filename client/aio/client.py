"""The client: one object per service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Literal, Self, cast

from client.aio.connection import AsyncConnection
from client.aio.datasets import AsyncDatasets
from client.aio.experiments import AsyncExperiments
from client.aio.following import follow
from client.aio.metrics import AsyncMetrics
from client.aio.models import AsyncBackbones, AsyncModels
from client.answers import Classified, Dataset, Embedded, Experiment, Health
from client.errors import ApiError
from client.progress import PhaseBars
from client.retrying import Retrying
from client.update import Update

DEFAULT_URL = "http://127.0.0.1:8000"
ONCE = Retrying(attempts=1)
"""Whoever asks how the service is wants to know how it is now."""


class AsyncClient:
    """Talks to one service; close it, or use it in an `async with` statement.

    Args:
        base_url: where the service listens.
        token: a key (``sip_…``), where the service asks for one.
        timeout_seconds: longest silence of the service within one answer; the first text a model
            classifies waits until the model is loaded.
        retrying: how often a request that failed for a moment is sent, and with what pauses.

    Requests are sent again where the service was busy (429, 503) and, where that does no harm, where no
    answer came. Datasets and experiments are asked for with an `Idempotency-Key`: however often that
    happens, one is made.

    Raises (every method):
        ApiError: the service refused or failed; status, title, detail and fields say why.
        ConnectionFailedError: no complete answer came.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        token: str | None = None,
        *,
        timeout_seconds: float = 120.0,
        retrying: Retrying | None = None,
    ) -> None:
        self._connection = AsyncConnection(base_url, token, timeout_seconds, retrying)
        self.datasets = AsyncDatasets(self._connection)
        self.experiments = AsyncExperiments(self._connection)
        self.metrics = AsyncMetrics(self._connection)
        self.models = AsyncModels(self._connection)
        self.backbones = AsyncBackbones(self._connection)

    @property
    def base_url(self) -> str:
        """Where the service listens, without a trailing slash."""
        return self._connection.base_url

    async def classify(
        self,
        texts: str | Sequence[str],
        *,
        model: str | None = None,
        top_k: int | None = None,
        unknown_prior: float | None = None,
        min_probability: float | None = None,
        evidence: int | None = None,
        coverage: float | None = None,
        level: Literal["text", "token"] | None = None,
        explain: bool | None = None,
    ) -> Classified:
        """Source distributions, one per text and in their order.

        Args:
            texts: one text or up to 1024, none of them blank.
            model: id, name, `name@version` or `default`.
            top_k: sources named per text; the others are summed up in `other`.
            unknown_prior: how likely it is beforehand that none of the model's sources is right, 0 to 1.
            min_probability: sources below it are left to `other`.
            evidence: training passages named per text, 0 to 10.
            coverage: ask for a set of sources that holds the right one this often, 0 to 1.
            level: ``token`` also says which stretch of a text is of which source.
            explain: ask which tokens speak for the most probable source; at most 32 texts and 10,000
                characters in all.
        """
        given = {
            "model": model,
            "top_k": top_k,
            "unknown_prior": unknown_prior,
            "min_probability": min_probability,
            "evidence": evidence,
            "coverage": coverage,
            "level": level,
            "explain": explain,
        }
        answer = await self._connection.request(
            "POST", "/classify", body=_body(texts, given), repeatable=True
        )
        return cast(Classified, answer)

    async def embed(
        self,
        texts: str | Sequence[str],
        *,
        model: str | None = None,
        backbone: str | None = None,
        layer: int | None = None,
        pooling: Literal["mean", "last", "cls"] | None = None,
        normalize: bool | None = None,
        dimensions: int | None = None,
    ) -> Embedded:
        """Vectors, one per text and in their order.

        Args:
            texts: one text or up to 1024, none of them blank.
            model: take the backbone, layer and pooling this model reads; or name a `backbone` instead.
            layer: 0 (embeddings) to the number of layers.
            normalize: scale each vector to length 1 (so unless False).
            dimensions: keep the first so many components.
        """
        given = {
            "model": model,
            "backbone": backbone,
            "layer": layer,
            "pooling": pooling,
            "normalize": normalize,
            "dimensions": dimensions,
        }
        answer = await self._connection.request("POST", "/embed", body=_body(texts, given), repeatable=True)
        return cast(Embedded, answer)

    def follow(
        self, experiment_id: str, *, poll_seconds: float = 1.0, timeout_seconds: float | None = None
    ) -> AsyncIterator[Update]:
        """Updates of an experiment until it is final; see `client.following.follow`."""
        return follow(
            self.experiments,
            self.metrics,
            experiment_id,
            poll_seconds=poll_seconds,
            timeout_seconds=timeout_seconds,
        )

    async def wait(
        self, experiment_id: str, *, timeout_seconds: float | None = None, progress: bool = False
    ) -> Experiment:
        """Wait until an experiment is final and return it, whatever became of it.

        Args:
            progress: draw a bar for each of its phases, on a terminal or in a notebook.

        Raises:
            TimeoutError: it was not final in time; it goes on running.
        """
        bars = PhaseBars() if progress else None
        with bars or nullcontext():
            async for update in self.follow(experiment_id, timeout_seconds=timeout_seconds):
                if bars is not None:
                    bars.show(update.experiment, update.rows)
        return await self.experiments.get(experiment_id)

    async def wait_for_dataset(
        self, dataset: Dataset, *, timeout_seconds: float | None = None, progress: bool = False
    ) -> Dataset:
        """Wait until an import has ended and return the dataset: `ready`, or `failed` with its `error`.

        Args:
            progress: draw a bar for each of its phases, on a terminal or in a notebook.

        Raises:
            TimeoutError: it was still being imported; that goes on.
        """
        experiment = dataset.get("experiment")
        if dataset["status"] != "importing" or experiment is None:
            return dataset
        await self.wait(experiment, timeout_seconds=timeout_seconds, progress=progress)
        return await self.datasets.get(dataset["id"])

    async def is_live(self) -> bool:
        """Whether the service answers at all."""
        await self._connection.request("GET", "/health/live", retrying=ONCE)
        return True

    async def ready(self) -> Health:
        """Whether the service can work; one that can't is an answer here, not an error."""
        try:
            return cast(Health, await self._connection.request("GET", "/health/ready", retrying=ONCE))
        except ApiError as error:
            if error.status != 503:
                raise
            return {"status": "down"}

    async def aclose(self) -> None:
        """Close the connections to the service."""
        await self._connection.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _body(texts: str | Sequence[str], given: dict[str, Any]) -> dict[str, Any]:
    """The request's body; what was not given is left to the service's defaults."""
    named = {key: value for key, value in given.items() if value is not None}
    return {"input": texts if isinstance(texts, str) else list(texts)} | named
