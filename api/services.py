"""What the routes work with, built once per application."""

import asyncio
from dataclasses import dataclass, field, replace

import anyio

from api.engine import Engine
from api.inference_metrics import InferenceMetrics
from api.keys import KeyRing, asks_for_keys
from api.loading import Loading
from api.looks import Looks
from api.quotas import Quotas
from api.waiting import Waiting
from db import backbones
from db.backbones import StoredBackbone
from db.disk import DiskQuota
from db.key_secret import key_secret
from db.owners import Viewer
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from sip_model.backbones.catalog import DEFAULT_ALLOWED, BackboneCatalog
from sip_model.inference.calls import QueueLimits

CORPORA_READ_AT_ONCE = 2


@dataclass(slots=True)
class Services:
    """Settings, database, store, catalogue and inference engine of one application."""

    settings: Settings
    database: Database
    store: ArtifactStore
    catalog: BackboneCatalog
    engine: Engine
    inference_metrics: InferenceMetrics
    keys: KeyRing | None
    """Tells keys apart; null where none is asked for."""
    quotas: Quotas | None
    """Counts what each key asks for; null where none is asked for."""
    disk: DiskQuota
    """Whether there is room for more files."""
    waiting: Waiting
    """Requests that wait for something to happen to experiments."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the service begins to stop: long polls answer at once with what there is."""
    ingest_slots: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(CORPORA_READ_AT_ONCE)
    )
    """Threads that read corpora, so that uploads never take those other requests need."""
    looks: Looks = field(default_factory=Looks)
    """How metrics are read, for many requests at once."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "Services":
        """Build all of it; nothing is connected or loaded yet. Must run inside an event loop."""
        store = ArtifactStore.from_settings(settings)
        database = Database(settings.require_database_url())
        catalog = _catalog(settings, database, store)
        inference_metrics = InferenceMetrics()
        return cls(
            settings=settings,
            database=database,
            store=store,
            catalog=catalog,
            engine=Engine(
                Loading(store, catalog, settings.device, settings.max_loaded_bytes),
                settings.device,
                QueueLimits(
                    settings.max_waiting_tokens, settings.max_waiting_requests, settings.max_wait_seconds
                ),
                inference_metrics,
            ),
            inference_metrics=inference_metrics,
            disk=DiskQuota.from_settings(settings),
            waiting=Waiting(settings.require_database_url()),
            keys=KeyRing(database, key_secret(settings)) if asks_for_keys(settings) else None,
            quotas=Quotas(settings) if asks_for_keys(settings) else None,
        )

    def seen_by(self, viewer: Viewer) -> "Services":
        """The same services for requests that see what `viewer` may see."""
        database = self.database.seen_by(viewer)
        return replace(self, database=database, catalog=_catalog(self.settings, database, self.store))

    def close(self) -> None:
        """Stop the engine's thread and close every connection."""
        self.waiting.close()
        self.engine.close()
        if self.quotas is not None:
            self.quotas.close()
        self.database.close()


def _catalog(settings: Settings, database: Database, store: ArtifactStore) -> BackboneCatalog:
    """What may be named, with those of the backbones trained here that the database's sessions see."""

    def find_own(backbone_id: str) -> StoredBackbone | None:
        with database.session() as session:
            return backbones.find(session, store, backbone_id)

    allowed = DEFAULT_ALLOWED if settings.allowed_backbones is None else settings.allowed_backbones
    return BackboneCatalog(settings.backbone_folders, allowed, find_own=find_own)
