"""Models and embedders in memory, and the one thread that loads them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

import structlog

from api.errors import UnavailableError
from api.recently_used import LeastRecentlyUsed
from db.errors import StorageError, StorageUnavailableError
from db.storage import ArtifactStore
from db.tables import Model
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.errors import InvalidInputError
from sip_model.experiments.config import BackboneConfig

if TYPE_CHECKING:
    from sip_model.inference.embed import Embedder
    from sip_model.inference.identify import LoadedModel

Value = TypeVar("Value", "LoadedModel", "Embedder")


class Loaded(NamedTuple):
    """What is in memory."""

    models: int
    embedders: int
    num_bytes: int
    """Of both."""


class Loading:
    """Loads what isn't in memory, one after the other, while what is goes on answering.

    Torch is imported when something is first loaded, not when the service starts.

    Args:
        store: where model folders come from.
        catalog: where backbones come from.
        device: ``auto``, ``cpu`` or ``cuda[:n]``.
        max_bytes: of models and embedders together; the least recently used ones are dropped.
    """

    def __init__(self, store: ArtifactStore, catalog: BackboneCatalog, device: str, max_bytes: int) -> None:
        self._store = store
        self._catalog = catalog
        self._device = device
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="loading")
        self._kept: LeastRecentlyUsed[str | BackboneConfig, LoadedModel | Embedder] = LeastRecentlyUsed(
            max_bytes, lambda loaded: loaded.num_bytes
        )
        self._pending: dict[str, Future[LoadedModel]] = {}
        self._failures: dict[str, str] = {}

    async def model(self, model: Model) -> "LoadedModel":
        """A model, loaded if it isn't; raises `UnavailableError`."""
        kept = self._kept.get(model.id)
        if kept is not None:
            return cast("LoadedModel", kept)
        return await asyncio.wrap_future(self._thread.submit(self._model, model))

    async def embedder(self, backbone: BackboneConfig) -> "Embedder":
        """A backbone with its own weights, loaded if it isn't.

        Raises:
            BackboneError: it can't be loaded, or can't do this.
        """
        kept = self._kept.get(backbone)
        if kept is not None:
            return cast("Embedder", kept)
        return await asyncio.wrap_future(self._thread.submit(self._embedder, backbone))

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

    def has_model(self, model_id: str) -> bool:
        """Whether a model would answer without being loaded first."""
        return model_id in self._kept

    @property
    def state(self) -> "Loaded":
        """What is in memory."""
        keys = self._kept.keys
        num_models = sum(isinstance(key, str) for key in keys)
        return Loaded(num_models, len(keys) - num_models, self._kept.num_bytes)

    def forget(self, model_id: str) -> None:
        """Drop a model that was deleted."""
        self._kept.drop_where(lambda key: key == model_id)
        self._pending.pop(model_id, None)
        self._failures.pop(model_id, None)

    def forget_backbone(self, backbone_id: str) -> None:
        """Drop the embedders of a backbone that was deleted, once what is being loaded is."""
        self._thread.submit(
            self._kept.drop_where, lambda key: isinstance(key, BackboneConfig) and key.id == backbone_id
        )

    def close(self) -> None:
        """Finish what is being loaded, and drop everything."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._kept.clear()

    def unavailable(self, model: Model, error: StorageError | InvalidInputError) -> UnavailableError:
        """Not the caller's input: a file of ours, or a backbone that is not here any more."""
        self._failures[model.id] = str(error)
        structlog.get_logger().error("model can't be loaded", model=model.id, reason=str(error))
        detail = f"The model {model.id} can't be loaded: {_reason(error)}."
        return UnavailableError(detail, headers={"Retry-After": "60"})

    def _model(self, model: Model) -> "LoadedModel":
        from sip_model.inference.identify import LoadedModel

        def load() -> LoadedModel:
            files = {name: str(sha256) for name, sha256 in model.files.items()}
            folder = self._store.local_folder(model.storage_key, files)
            return LoadedModel.load(folder, self._catalog, self._device)

        try:
            loaded = self._loaded(model.id, load)
        except (StorageError, InvalidInputError) as error:
            raise self.unavailable(model, error) from error
        self._failures.pop(model.id, None)
        return loaded

    def _embedder(self, backbone: BackboneConfig) -> "Embedder":
        from sip_model.inference.embed import Embedder

        return self._loaded(backbone, lambda: Embedder.load(backbone, self._catalog, self._device))

    def _loaded(self, key: str | BackboneConfig, load: Callable[[], Value]) -> Value:
        """The value of `key`; in the loading thread alone, so that nothing is loaded twice."""
        kept = self._kept.get(key)
        if kept is not None:
            return cast(Value, kept)
        value = load()
        self._kept.put(key, value)
        return value


def _reason(error: StorageError | InvalidInputError) -> str:
    # which file it is may be said; what a library wrote about an address or a path stays in the log
    if isinstance(error, StorageUnavailableError):
        return "the store of files can't be reached"
    if isinstance(error, StorageError):
        return str(error)
    return "the service's log says why"
