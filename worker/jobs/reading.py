"""How a job's texts become features: by one backbone, through the feature cache."""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from db import backbones
from db.backbones import StoredBackbone
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from sip_model.backbones.cache import CachedFeatures, FeatureCache
from sip_model.backbones.catalog import DEFAULT_ALLOWED, BackboneCatalog, check_config
from sip_model.backbones.dtypes import DtypeName, resolve_dtype
from sip_model.backbones.extract import extract_features
from sip_model.backbones.extraction import Extraction
from sip_model.backbones.info import resolve_max_tokens
from sip_model.backbones.layers import resolve_layers
from sip_model.backbones.load import Backbone
from sip_model.backbones.tokens import Offsets, token_offsets
from sip_model.backbones.trainable import with_weights
from sip_model.experiments.config import BackboneConfig
from sip_model.identifiers.artifact import BackboneReading
from sip_model.identifiers.tuning import BackboneTuning
from worker.jobs.context import JobContext
from worker.patience import transact

FloatArray = npt.NDArray[np.float32]


def catalog_of(settings: Settings) -> BackboneCatalog:
    """The backbones this installation allows, and those that were trained here."""
    allowed = DEFAULT_ALLOWED if settings.allowed_backbones is None else settings.allowed_backbones
    return BackboneCatalog(settings.backbone_folders, allowed, find_own=partial(_find_own, settings))


def _find_own(settings: Settings, backbone_id: str) -> StoredBackbone | None:
    database, store = (
        Database(settings.require_database_url(), pool_size=1),
        ArtifactStore.from_settings(settings),
    )
    try:
        return transact(
            database, lambda session: backbones.find(session, store, backbone_id), settings.lease_seconds
        )
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class ReadingCost:
    """What the features of some texts have cost."""

    num_cached: int = 0
    """Texts whose features were there."""
    num_computed: int = 0
    """Distinct texts that went through the backbone."""
    num_tokens: int = 0
    """Tokens of those."""
    seconds: float = 0.0
    """All in all."""

    @classmethod
    def of(cls, cached: CachedFeatures, seconds: float) -> Self:
        """Of texts that were read in so many seconds."""
        return cls(cached.num_hits, cached.num_computed, cached.num_tokens_computed, seconds)

    def __add__(self, other: "ReadingCost") -> "ReadingCost":
        return ReadingCost(
            self.num_cached + other.num_cached,
            self.num_computed + other.num_computed,
            self.num_tokens + other.num_tokens,
            self.seconds + other.seconds,
        )


@dataclass
class BackboneReader:
    """One backbone of an experiment; its weights are loaded when something has to be computed.

    Args:
        context: of the job.
        config: which backbone, and what is read off it; `BackboneError` when it can't do that.
    """

    context: JobContext[object]
    config: BackboneConfig

    def __post_init__(self) -> None:
        self._catalog = catalog_of(self.context.settings)
        self._info = self._catalog.fetch(self.config.id, self.config.revision)
        check_config(self.config, self._info)
        self._loaded: Backbone | None = None
        self.reading = BackboneReading(
            id=self._info.id,
            revision=self._info.revision,
            layers=resolve_layers(self.config.layers, self._info.num_layers),
            pooling=self.config.pooling,
            max_tokens=resolve_max_tokens(self.config.max_tokens, self._info),
            dtype=resolve_dtype(self.config.dtype, self.context.device),
        )

    def features(self, texts: Sequence[str]) -> FloatArray:
        """Features of n texts, (n, K * D) for K layers side by side; reports what they cost as `system/*`."""
        started = time.perf_counter()
        cached = self.read(texts, lambda done, total: self.context.progress("features", done, total, "texts"))
        cost = ReadingCost.of(cached, time.perf_counter() - started)
        self.report(cost)
        return cached.features.reshape(len(texts), -1)

    def read(
        self, texts: Sequence[str], on_progress: Callable[[int, int], None] | None = None
    ) -> CachedFeatures:
        """Features of texts, reported nowhere.

        Args:
            on_progress: called with texts computed and texts to compute.
        """
        reading = self.reading
        return FeatureCache(self.context.settings.features_dir).features(
            self._info,
            reading.dtype,
            texts,
            reading.layers,
            reading.pooling,
            reading.max_tokens,
            self._compute,
            on_progress,
        )

    def turn(self, what: str) -> AbstractContextManager[None]:
        """While it lasts, no other experiment reads such texts with this backbone: it finds them afterwards.

        Args:
            what: the texts, a word.
        """
        reading, context = self.reading, self.context
        address = [what, reading.id, reading.revision, reading.dtype]
        return context.kept.turn("turn", address, lambda: context.progress(what, 0, 0, "texts"))

    def report(self, cost: "ReadingCost") -> None:
        """Record as `system/*` what the experiment's texts have cost."""
        self.context.metric("system/features_cached", cost.num_cached, backbone=self.reading.id)
        self.context.metric("system/features_computed", cost.num_computed, backbone=self.reading.id)
        if cost.num_computed:
            self.context.metric(
                "system/tokens_per_second", cost.num_tokens / cost.seconds, backbone=self.reading.id
            )

    def _backbone(self) -> Backbone:
        if self._loaded is None:
            reading = self.reading
            self._loaded = self._catalog.load(
                reading.id, reading.revision, self.context.device, reading.dtype
            )
        return self._loaded

    def _compute(self, texts: list[str]) -> Extraction:
        reading = self.reading
        return extract_features(self._backbone(), texts, reading.layers, reading.pooling, reading.max_tokens)

    def tuning(self) -> BackboneTuning:
        """The backbone, to be trained; reports how fast that goes as `system/tokens_per_second` of the
        training part."""
        reading, context = self.reading, self.context

        def load(dtype: DtypeName) -> Backbone:
            return self._catalog.load(reading.id, reading.revision, context.device, dtype)

        def on_speed(tokens: float) -> None:
            context.metric("system/tokens_per_second", tokens, split="train", backbone=reading.id)

        def on_states(done: int, total: int) -> None:
            context.progress("states", done, total, "texts")

        return BackboneTuning(load, reading, on_states, on_speed)

    def backbone(self, tuned: Mapping[str, torch.Tensor]) -> Backbone:
        """The backbone with the weights that training gave it; the reader has them too from then on."""
        return with_weights(self._backbone(), tuned)

    def offsets(self) -> Offsets:
        """Token offsets of a text, for chunks of `num_tokens`."""
        return token_offsets(self._backbone())


def report_memory(context: JobContext[object]) -> None:
    """The peak resident memory of this process, in bytes, as `system/peak_memory_bytes`."""
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    context.metric("system/peak_memory_bytes", kibibytes * 1024)
