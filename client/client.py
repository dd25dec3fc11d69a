# Made from client/aio/client.py by `make client`; edit that one.
"""The client: one object per service."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Literal, Self, cast

from client.answers import Classified, Dataset, Embedded, Experiment, Health
from client.connection import Connection
from client.datasets import Datasets
from client.errors import ApiError
from client.experiments import Experiments
from client.following import follow
from client.metrics import Metrics
from client.models import Backbones, Models
from client.progress import PhaseBars
from client.retrying import Retrying
from client.update import Update

DEFAULT_URL = "http://127.0.0.1:8000"
ONCE = Retrying(attempts=1)
"""Whoever asks how the service is wants to know how it is now."""


class Client:
    """Talks to one service; close it, or use it in a `with` statement.

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
        self._connection = Connection(base_url, token, timeout_seconds, retrying)
        self.datasets = Datasets(self._connection)
        self.experiments = Experiments(self._connection)
        self.metrics = Metrics(self._connection)
        self.models = Models(self._connection)
        self.backbones = Backbones(self._connection)

    @property
    def base_url(self) -> str:
        """Where the service listens, without a trailing slash."""
        return self._connection.base_url

    def classify(
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
        answer = self._connection.request("POST", "/classify", body=_body(texts, given), repeatable=True)
        return cast(Classified, answer)

    def embed(
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
        answer = self._connection.request("POST", "/embed", body=_body(texts, given), repeatable=True)
        return cast(Embedded, answer)

    def follow(
        self, experiment_id: str, *, poll_seconds: float = 1.0, timeout_seconds: float | None = None
    ) -> Iterator[Update]:
        """Updates of an experiment until it is final; see `client.following.follow`."""
        return follow(
            self.experiments,
            self.metrics,
            experiment_id,
            poll_seconds=poll_seconds,
            timeout_seconds=timeout_seconds,
        )

    def wait(
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
            for update in self.follow(experiment_id, timeout_seconds=timeout_seconds):
                if bars is not None:
                    bars.show(update.experiment, update.rows)
        return self.experiments.get(experiment_id)

    def wait_for_dataset(
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
        self.wait(experiment, timeout_seconds=timeout_seconds, progress=progress)
        return self.datasets.get(dataset["id"])

    def is_live(self) -> bool:
        """Whether the service answers at all."""
        self._connection.request("GET", "/health/live", retrying=ONCE)
        return True

    def ready(self) -> Health:
        """Whether the service can work; one that can't is an answer here, not an error."""
        try:
            return cast(Health, self._connection.request("GET", "/health/ready", retrying=ONCE))
        except ApiError as error:
            if error.status != 503:
                raise
            return {"status": "down"}

    def close(self) -> None:
        """Close the connections to the service."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _body(texts: str | Sequence[str], given: dict[str, Any]) -> dict[str, Any]:
    """The request's body; what was not given is left to the service's defaults."""
    named = {key: value for key, value in given.items() if value is not None}
    return {"input": texts if isinstance(texts, str) else list(texts)} | named
