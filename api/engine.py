"""What answers requests for inference: threads that prepare and finish, and passes that all of them share."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from pydantic import TypeAdapter

from api.errors import OverloadedError, UnavailableError, located
from api.inference_metrics import InferenceMetrics
from api.loading import Loading
from db.tables import Model
from sip_model.backbones.info import DEFAULT_MAX_TOKENS
from sip_model.errors import ArtifactError
from sip_model.experiments.config import BackboneConfig
from sip_model.inference.batching import Batcher
from sip_model.inference.calls import Call, CallOverError, QueueFullError, QueueLimits, QueueState

if TYPE_CHECKING:
    from sip_model.backbones.extract import Forward, Keep, PassKind
    from sip_model.backbones.tokens import TokenIds
    from sip_model.inference.distributions import Distributions
    from sip_model.inference.embed import Embedder, Embeddings
    from sip_model.inference.identify import LoadedModel

Result = TypeVar("Result")

CHARACTERS_PER_TOKEN = 4
"""What a text is taken for until it is tokenised; about right for English."""

_READING = TypeAdapter(BackboneConfig)


class Engine:
    """Runs inference off the event loop, the passes of all requests together.

    A request has a thread of its own; as many of them compute as there are cores, the others wait for passes.

    Args:
        loading: what it computes with.
        device: ``auto``, ``cpu`` or ``cuda[:n]``.
        limits: what may wait.
        metrics: told of passes, and of requests that are refused or left.
    """

    def __init__(self, loading: Loading, device: str, limits: QueueLimits, metrics: InferenceMetrics) -> None:
        self.loading = loading
        self._metrics = metrics
        self._batcher = Batcher(device, limits, metrics.count_pass)
        self._threads = ThreadPoolExecutor(limits.max_calls, thread_name_prefix="inference")
        self._cores = threading.Semaphore(len(os.sched_getaffinity(0)))

    async def classify(
        self,
        model: Model,
        texts: Sequence[str],
        unknown_prior: float | None,
        *,
        evidence: int = 0,
        coverage: float | None = None,
        spans: bool = False,
        explain: bool = False,
    ) -> "Distributions":
        """The source distributions of `texts`, in their order.

        Raises:
            InvalidRequestError: the model has no evidence, sets or spans, or can't be explained.
            OverloadedError: too much waits already.
            UnavailableError: the model's files are missing or damaged.
        """

        def answer(loaded: "LoadedModel") -> "Distributions":
            with located("body"):
                try:
                    return loaded.classify(
                        texts,
                        unknown_prior=unknown_prior,
                        evidence=evidence,
                        coverage=coverage,
                        spans=spans,
                        explain=explain,
                    )
                except ArtifactError as error:
                    raise self.loading.unavailable(model, error) from error

        async def run(call: Call) -> "Distributions":
            loaded = await self.loading.model(model)
            if explain or loaded.reads_tokens:
                return await self._run(lambda: self._batcher.run_alone(call, lambda: answer(loaded)))
            shared = replace(loaded, forward=self._forward(call))
            return await self._run(lambda: self._on_a_core(lambda: answer(shared)))

        return await self._admitted(sum(map(_num_tokens, texts)), run)

    async def reading(self, model: Model) -> tuple[BackboneConfig, bool] | None:
        """How a model reads its backbone, with the very revision it was trained on, and whether that has
        weights of the model's own; None: it reads none."""
        artifact = (await self.loading.model(model)).artifact
        if artifact.reading is None:
            return None
        return _READING.validate_python(asdict(artifact.reading)), bool(artifact.tuned)

    async def embed(
        self, backbone: BackboneConfig, texts: Sequence[str], tuned_by: Model | None = None
    ) -> "Embeddings":
        """The vectors of `texts`, in their order, not normalised; of several layers the deepest is read.

        Args:
            backbone: what reads them.
            texts: what is read.
            tuned_by: the model whose weights the backbone has; None: its original ones.

        Raises:
            OverloadedError: too much waits already.
            BackboneError: the backbone can't be loaded or can't do this.
            UnavailableError: the files of the model are missing or damaged.
        """

        async def run(call: Call) -> "Embeddings":
            embedder = await self._embedder(backbone, tuned_by)
            forward = self._forward(call)
            return await self._run(lambda: self._on_a_core(lambda: embedder.embed(texts, forward)))

        longest = backbone.max_tokens or DEFAULT_MAX_TOKENS
        return await self._admitted(sum(min(_num_tokens(text), longest) for text in texts), run)

    @property
    def queue(self) -> QueueState:
        """What waits now."""
        return self._batcher.state

    def close(self) -> None:
        """Finish the passes that are being made, drop what waits."""
        self.loading.close()
        self._batcher.close()
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _embedder(self, backbone: BackboneConfig, tuned_by: Model | None) -> "Embedder":
        if tuned_by is None:
            return await self.loading.embedder(backbone)
        from sip_model.inference.embed import Embedder

        loaded = (await self.loading.model(tuned_by)).backbone
        assert loaded is not None, "a model that has tuned a backbone reads it"
        return Embedder.of(loaded, backbone)

    async def _admitted(self, tokens: int, run: Callable[[Call], Awaitable[Result]]) -> Result:
        """What `run` makes of a call that is admitted, and left whatever happens."""
        try:
            call = self._batcher.admit(tokens)
        except QueueFullError as error:
            raise self._refused("full", error) from error
        try:
            return await run(call)
        except QueueFullError as error:
            raise self._refused("late", error) from error
        except CallOverError as error:
            raise UnavailableError("The service is stopping.", headers={"Retry-After": "5"}) from error
        except asyncio.CancelledError:
            self._metrics.count_dropped("gone")
            raise
        finally:
            self._batcher.leave(call)

    def _refused(self, reason: Literal["full", "late"], error: QueueFullError) -> OverloadedError:
        self._metrics.count_dropped(reason)
        seconds = str(error.retry_after_seconds)
        return OverloadedError(
            f"More texts wait already than can be read in time. Try again in {seconds} s.",
            headers={"Retry-After": seconds},
        )

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.wrap_future(self._threads.submit(work))

    def _on_a_core(self, work: Callable[[], Result]) -> Result:
        with self._cores:
            return work()

    def _forward(self, call: Call) -> "Forward":
        """Reads a call's texts together with those of others; its core is free meanwhile."""

        def forward(kind: "PassKind", tokens: "TokenIds", keep: "Keep") -> None:
            self._cores.release()
            try:
                features = self._batcher.read(call, kind, tokens)
            finally:
                self._cores.acquire()
            keep(np.arange(len(features)), features)

        return forward


def _num_tokens(text: str) -> int:
    return len(text) // CHARACTERS_PER_TOKEN + 1
