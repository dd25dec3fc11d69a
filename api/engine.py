"""Loaded models and embedders, and the one thread that computes with them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog
from pydantic import TypeAdapter

from api.errors import OverloadedError, UnavailableError, located
from db.errors import StorageError, StorageUnavailableError
from db.storage import ArtifactStore
from db.tables import Model
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.errors import ArtifactError, InvalidInputError
from sip_model.experiments.config import BackboneConfig

if TYPE_CHECKING:
    from sip_model.inference.distributions import Distributions
    from sip_model.inference.embed import Embedder, Embeddings
    from sip_model.inference.identify import LoadedModel

Result = TypeVar("Result")
Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_WAITING = 128

_READING = TypeAdapter(BackboneConfig)


class LeastRecentlyUsed(Generic[Key, Value]):
    """Keeps the values asked for last; `get` is called by one thread only."""

    def __init__(self, max_kept: int) -> None:
        self._max_kept = max_kept
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of `key`, made if it isn't kept."""
        value = self._values.pop(key, None) or make()
        self._values[key] = value
        while len(self._values) > self._max_kept:
            self._values.popitem(last=False)
        return value

    def drop(self, key: Key) -> None:
        """Forget one."""
        self._values.pop(key, None)

    def drop_where(self, is_meant: Callable[[Key], bool]) -> None:
        """Forget those whose key is meant."""
        for key in [key for key in self._values if is_meant(key)]:
            self.drop(key)

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()


class Engine:
    """Runs inference off the event loop, one call at a time, in the order the calls came.

    Torch is imported when something is first loaded, not when the service starts.

    Args:
        store: where model folders come from.
        catalog: where backbones come from.
        device: ``auto``, ``cpu`` or ``cuda[:n]``.
        max_loaded: models and embedders kept; the least recently used one is dropped.
    """

    def __init__(self, store: ArtifactStore, catalog: BackboneCatalog, device: str, max_loaded: int) -> None:
        self._store = store
        self._catalog = catalog
        self._device = device
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._models: LeastRecentlyUsed[str, LoadedModel] = LeastRecentlyUsed(max_loaded)
        self._embedders: LeastRecentlyUsed[BackboneConfig, Embedder] = LeastRecentlyUsed(max_loaded)
        self._pending: dict[str, Future[LoadedModel]] = {}
        self._failures: dict[str, str] = {}
        self._waiting = 0

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
            OverloadedError: too many calls are waiting.
            UnavailableError: the model's files are missing or damaged.
        """

        def answer() -> "Distributions":
            loaded = self._model(model)
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
                    raise self._unavailable(model, error) from error

        return await self._run(answer)

    async def reading(self, model: Model) -> tuple[BackboneConfig, bool] | None:
        """How a model reads its backbone, with the very revision it was trained on, and whether that has
        weights of the model's own; None: it reads none."""
        artifact = (await self._run(lambda: self._model(model))).artifact
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
            OverloadedError: too many calls are waiting.
            BackboneError: the backbone can't be loaded or can't do this.
            UnavailableError: the files of the model are missing or damaged.
        """
        if tuned_by is None:
            return await self._run(lambda: self._embedder(backbone).embed(texts))
        return await self._run(lambda: self._tuned_embedder(tuned_by, backbone).embed(texts))

    def load_now(self, model: Model) -> None:
        """Load a model and wait for it; raises `UnavailableError`."""
        self._thread.submit(self._model, model).result()

    def load_soon(self, model: Model) -> None:
        """Load a model when the thread is free, unless that is under way already."""
        pending = self._pending.get(model.id)
        if pending is None or pending.done():
            self._pending[model.id] = self._thread.submit(self._model, model)

    def failure(self, model_id: str) -> str | None:
        """Why the model could not be loaded the last time it was tried; None if it could, or never was."""
        return self._failures.get(model_id)

    def is_loaded(self, model_id: str) -> bool:
        """Whether the model would answer without being loaded first."""
        return model_id in self._models

    @property
    def num_models(self) -> int:
        """Models kept in memory."""
        return len(self._models)

    @property
    def num_embedders(self) -> int:
        """Backbones kept in memory for embeddings."""
        return len(self._embedders)

    @property
    def num_waiting(self) -> int:
        """Calls that wait for the thread or are in it."""
        return self._waiting

    def forget(self, model_id: str) -> None:
        """Drop a model that was deleted."""
        self._models.drop(model_id)
        self._pending.pop(model_id, None)
        self._failures.pop(model_id, None)

    def forget_backbone(self, backbone_id: str) -> None:
        """Drop the embedders of a backbone that was deleted."""
        self._thread.submit(self._embedders.drop_where, lambda key: key.id == backbone_id)

    def close(self) -> None:
        """Finish the call that is running, drop those that wait."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._models.clear()
        self._embedders.clear()

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= MAX_WAITING:
            raise OverloadedError(
                f"{MAX_WAITING} requests are waiting already.", headers={"Retry-After": "1"}
            )
        self._waiting += 1
        try:
            return await asyncio.wrap_future(self._thread.submit(work))
        finally:
            self._waiting -= 1

    def _model(self, model: Model) -> "LoadedModel":
        from sip_model.inference.identify import LoadedModel

        def load() -> LoadedModel:
            files = {name: str(sha256) for name, sha256 in model.files.items()}
            folder = self._store.local_folder(model.storage_key, files)
            return LoadedModel.load(folder, self._catalog, self._device)

        try:
            loaded = self._models.get(model.id, load)
        except (StorageError, InvalidInputError) as error:
            raise self._unavailable(model, error) from error
        self._failures.pop(model.id, None)
        return loaded

    def _unavailable(self, model: Model, error: StorageError | InvalidInputError) -> UnavailableError:
        """Not the caller's input: a file of ours, or a backbone that is not here any more."""
        self._failures[model.id] = str(error)
        structlog.get_logger().error("model can't be loaded", model=model.id, reason=str(error))
        detail = f"The model {model.id} can't be loaded: {_reason(error)}."
        return UnavailableError(detail, headers={"Retry-After": "60"})

    def _embedder(self, backbone: BackboneConfig) -> "Embedder":
        from sip_model.inference.embed import Embedder

        return self._embedders.get(backbone, lambda: Embedder.load(backbone, self._catalog, self._device))

    def _tuned_embedder(self, model: Model, backbone: BackboneConfig) -> "Embedder":
        from sip_model.inference.embed import Embedder

        loaded = self._model(model).backbone
        assert loaded is not None, "a model that has tuned a backbone reads it"
        return Embedder.of(loaded, backbone)


def _reason(error: StorageError | InvalidInputError) -> str:
    # which file it is may be said; what a library wrote about an address or a path stays in the log
    if isinstance(error, StorageUnavailableError):
        return "the store of files can't be reached"
    if isinstance(error, StorageError):
        return str(error)
    return "the service's log says why"
