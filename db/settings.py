"""The one place that reads the environment: every setting of the service, with its unit in its name."""

import importlib.util
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.errors import SettingsError
from db.states import Queue


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


Folder = Annotated[Path, AfterValidator(_absolute)]


def _default_artifacts_url(values: dict[str, Any]) -> str:
    return str(_absolute(values["data_dir"]) / "artifacts")


class Settings(BaseSettings):
    """All settings; environment variables are the field names in capitals after ``SIP_``.

    Frozen: a composition root that starts the embedded servers passes on ``settings.with_servers(...)``.
    """

    model_config = SettingsConfigDict(env_prefix="SIP_", frozen=True, extra="forbid", validate_default=True)

    data_dir: Folder = Path(".sip")
    """Folder for everything the service keeps on this machine."""
    database_url: str | None = Field(default=None, repr=False)
    """``postgresql+psycopg://…``; null: the embedded PostgreSQL in the data folder is started."""
    broker_url: str | None = Field(default=None, repr=False)
    """``redis://…`` or ``redis+socket://…``; null: the embedded Redis in the data folder is started."""
    artifacts_url: str = Field(default_factory=_default_artifacts_url)
    """A folder, or an fsspec URL such as ``s3://bucket/prefix``, for corpora, models and results."""

    host: str = "127.0.0.1"
    """Address the HTTP service listens on."""
    port: int = Field(default=8000, ge=0, le=65_535)
    """Port the HTTP service listens on; 0: any free one."""
    serve_pages: bool = True
    """Whether the pages for people are served at ``/``."""
    allow_anyone: bool = False
    """Whether an address other than loopback may be served without keys."""
    require_keys: bool = False
    """Whether keys are asked for on loopback too."""
    key_secret: SecretStr | None = Field(default=None, min_length=32, repr=False, exclude=True)
    """What keys are hashed under; null: ``key.secret`` in the data folder, made when first needed."""
    requests_per_minute: int = Field(default=6000, ge=0)
    """Requests that a key may send which says nothing of it itself; 0: any number."""
    texts_per_day: int = Field(default=1_000_000, ge=0)
    """Texts that such a key may have classified and embedded; 0: any number."""
    max_body_bytes: int = Field(default=32 * 1024**2, ge=1)
    """Largest request body, uploads of corpora aside."""
    max_upload_bytes: int = Field(default=4 * 1024**3, ge=1)
    """Largest upload of a corpus."""
    body_grace_seconds: float = Field(default=30.0, gt=0)
    """How long a request's body may be waited for, however slow it is."""
    min_body_bytes_per_second: int = Field(default=1024, ge=1)
    """How fast a body has to come after that, on the average."""
    max_json_depth: int = Field(default=64, ge=8, le=1024)
    """Levels of arrays and objects in a JSON body."""
    max_texts: int = Field(default=1024, ge=1)
    """Texts in one request at most."""
    max_text_characters: int = Field(default=1_000_000, ge=1, le=2_000_000)
    """Characters of one text of a request."""
    max_loaded_bytes: int = Field(default=4 * 1024**3, ge=1)
    """Weights of models and backbones that the HTTP service keeps in memory; the last one whatever it has."""
    max_waiting_tokens: int = Field(default=262_144, ge=1)
    """Tokens of all texts to classify or embed that may wait; what would exceed it gets 429."""
    max_waiting_requests: int = Field(default=256, ge=1, le=4096)
    """Requests to classify or embed that are worked on or wait, each with a thread of its own."""
    max_wait_seconds: float = Field(default=60.0, gt=0)
    """How long such a request may wait for its turn: one that would wait longer gets 429 at once."""
    data_roots: tuple[Folder, ...] = ()
    """Folders that ``POST /datasets`` may read a path from."""
    allowed_uri_schemes: tuple[Literal["s3", "s3a", "gs", "gcs", "az", "abfs"], ...] = ()
    """Object stores that ``POST /datasets`` may read a URI of: all that the worker's credentials open."""
    allowed_hub_datasets: tuple[str, ...] | None = None
    """Patterns of the hub's dataset repositories that may be read; null: the list that ships."""
    hub_endpoint: str | None = Field(default=None, pattern=r"^https?://")
    """Where the hub answers; null: the Hugging Face Hub, or what ``HF_ENDPOINT`` says."""
    max_import_bytes: int = Field(default=16 * 1024**3, ge=1)
    """Most bytes that one import may fetch from a URI or the hub."""
    max_corpus_bytes: int = Field(default=64 * 1024**3, ge=1)
    """UTF-8 bytes of all texts of a corpus."""
    max_sources: int = Field(default=1_500_000, ge=2)
    """Sources of a corpus."""
    max_archive_entries: int = Field(default=1_000_000, ge=1)
    """Files in a zip."""
    max_expansion: int = Field(default=200, ge=2)
    """Bytes that may come out of each byte of a compressed corpus, beyond the first 64 MiB."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is logged, at least."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """``json``: one object per line; ``console``: lines for people; ``auto``: those only on a terminal."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d{1,3})?)$")
    """``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:<n>``."""
    queues: tuple[Queue, ...] = Field(default=tuple(Queue), min_length=1)
    """Which experiments a worker takes: ``gpu`` (those that run a language model), ``cpu`` or both."""
    backbone_folders: dict[str, Folder] = {}
    """Name → folder of language models on this machine, as JSON."""
    allowed_backbones: tuple[str, ...] | None = None
    """Patterns of Hugging Face ids that may be named; null: the list the catalogue ships with."""

    lease_seconds: float = Field(default=30.0, gt=0)
    """How long a worker that stops answering keeps its experiment."""
    heartbeat_seconds: float = Field(default=1.0, gt=0)
    """How often a worker renews its lease and learns of a cancellation."""
    sweep_seconds: float = Field(default=10.0, gt=0)
    """How often a worker looks for expired leases and experiments nobody was woken for."""
    stop_seconds: float = Field(default=5.0, gt=0)
    """Time an experiment's process has to end by itself before it is killed."""
    max_attempts: int = Field(default=3, ge=1)
    """Crashes after which an experiment is given up."""
    max_job_seconds: float = Field(default=7 * 24 * 3600.0, gt=0)
    """How long one attempt at an experiment may take."""
    max_job_memory_bytes: int | None = Field(default=None, ge=256 * 1024**2)
    """Memory of an experiment's process; null: the machine's, and on a GPU no bound."""
    max_data_bytes: int = Field(default=0, ge=0)
    """What the data folder may hold before uploads and experiments are refused; 0: as much as its disk."""
    min_free_bytes: int = Field(default=256 * 1024**2, ge=0)
    """What has to stay free on the data folder's disk."""
    tensorboard_dir: Folder | None = None
    """Where workers write metrics a second time, for TensorBoard; needs the extra ``tensorboard``."""

    @field_validator("tensorboard_dir")
    @classmethod
    def _tensorboard_is_installed(cls, folder: Path | None) -> Path | None:
        if folder is not None and importlib.util.find_spec("tensorboard") is None:
            raise ValueError(
                "expected the extra `tensorboard` to be installed (pip install "
                "'source-identification[tensorboard]'); found no such package"
            )
        return folder

    @model_validator(mode="after")
    def _lease_outlives_heartbeats(self) -> Self:
        if self.lease_seconds < 2 * self.heartbeat_seconds:
            raise ValueError(
                f"lease_seconds: expected at least twice heartbeat_seconds ({self.heartbeat_seconds:g}), "
                f"found {self.lease_seconds:g}; raise SIP_LEASE_SECONDS or lower SIP_HEARTBEAT_SECONDS"
            )
        return self

    @property
    def worker_seen_seconds(self) -> float:
        """How long ago a worker may have shown itself, which it does at every sweep, to count as live."""
        return max(60.0, 3 * self.sweep_seconds)

    @property
    def corpus_limits(self) -> dict[str, int]:
        """What a corpus that is read is held to."""
        return {
            "max_bytes": self.max_corpus_bytes,
            "max_sources": self.max_sources,
            "max_entries": self.max_archive_entries,
            "max_expansion": self.max_expansion,
        }

    @property
    def features_dir(self) -> Path:
        """Folder of the feature cache."""
        return self.data_dir / "features"

    @property
    def scratch_dir(self) -> Path:
        """Folder of the attempts' private files."""
        return self.data_dir / "scratch"

    @property
    def downloads_dir(self) -> Path:
        """Folder for local copies of artifacts that live on an object store."""
        return self.data_dir / "downloads"

    def with_servers(self, database_url: str, broker_url: str) -> "Settings":
        """The same settings, pointing at these two servers."""
        return self.model_copy(update={"database_url": database_url, "broker_url": broker_url})

    def require_database_url(self) -> str:
        """The database's URL; `SettingsError` when none was given and no embedded server was started."""
        if self.database_url is None:
            raise SettingsError("SIP_DATABASE_URL", "a postgresql+psycopg:// URL")
        return self.database_url

    def require_broker_url(self) -> str:
        """The broker's URL; `SettingsError` when none was given and no embedded server was started."""
        if self.broker_url is None:
            raise SettingsError("SIP_BROKER_URL", "a redis:// URL")
        return self.broker_url
