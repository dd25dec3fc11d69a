"""The tables. Rows carry no relationships: what is needed is asked for in the repositories."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.states import Queue, Status

JSON = None | bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"]
JSONObject = dict[str, JSON]

_STATUSES = ", ".join(f"'{status.value}'" for status in Status)
_QUEUES = ", ".join(f"'{queue.value}'" for queue in Queue)
_OWNED = "status IN ('running', 'cancelling')"


class Base(DeclarativeBase):
    """Base of all rows; times are stored with their zone, integers with 64 bits."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[object, object]] = {
        datetime: DateTime(timezone=True),
        int: BigInteger,
        JSONObject: JSONB,
        list[str]: JSONB,
    }


class Dataset(Base):
    """A corpus in its normalised form."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(server_default=text("''"))
    """Whose it is: the id of a key; empty: nobody's."""
    name: Mapped[str]
    """Unique among its owner's."""
    status: Mapped[str]
    format: Mapped[str]
    num_documents: Mapped[int]
    """0, as the other numbers, until it is ready."""
    num_sources: Mapped[int]
    num_bytes: Mapped[int]
    """UTF-8 bytes of all texts."""
    sha256: Mapped[str]
    """Of the documents, whatever file they came in; empty until it is ready."""
    storage_key: Mapped[str]
    """Of the stored file; until it is ready, the prefix the file will be under."""
    storage_sha256: Mapped[str]
    """Of the stored file; empty until it is ready."""
    experiment_id: Mapped[str | None] = mapped_column(index=True)
    """The import that makes it, also after that was deleted; null for uploads and built-ins."""
    origin: Mapped[JSONObject | None]
    """Where it was imported from, with the commit of a hub's repository; null until it is ready."""
    error_type: Mapped[str | None]
    error_message: Mapped[str | None]
    """Why its import failed."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (UniqueConstraint("owner", "name"),)


class Source(Base):
    """A source of a dataset, with its number in order of first appearance."""

    __tablename__ = "sources"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    author: Mapped[str | None]
    num_documents: Mapped[int]
    num_words: Mapped[int]


class Experiment(Base):
    """An experiment: the request, its state and the claim of the attempt that runs it."""

    __tablename__ = "experiments"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(server_default=text("''"))
    """Whose it is: the id of a key; empty: nobody's."""
    kind: Mapped[str]
    name: Mapped[str | None]
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
    model_id: Mapped[str | None] = mapped_column(
        ForeignKey("models.id", ondelete="SET NULL", use_alter=True), index=True
    )
    """The model it made, or the one it uses."""
    backbone_id: Mapped[str | None]
    config: Mapped[JSONObject]
    """Resolved: every default is written out."""
    seed: Mapped[int]
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("experiments.id", ondelete="SET NULL"), index=True
    )

    queue: Mapped[str] = mapped_column(server_default=Queue.GPU)
    """Which workers are woken for it."""
    request_id: Mapped[str | None]
    """Of the HTTP request it came with; the worker's log lines carry it too."""

    status: Mapped[str] = mapped_column(server_default=Status.QUEUED)
    phase: Mapped[str | None]
    done: Mapped[int | None]
    total: Mapped[int | None]
    unit: Mapped[str | None]
    eta_seconds: Mapped[float | None]
    error_type: Mapped[str | None]
    error_message: Mapped[str | None]
    """Of the last attempt that went wrong; null again once the experiment succeeds."""

    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    """How often it was claimed."""
    crashes: Mapped[int] = mapped_column(server_default=text("0"))
    """How many of these claims ended without a word; a stopping worker's release costs none."""
    claim_token: Mapped[UUID | None]
    lease_expires_at: Mapped[datetime | None]
    worker: Mapped[str | None]
    resumed_from_step: Mapped[int | None]
    checkpoint_key: Mapped[str | None]
    """Where the stored file is that the next attempt takes up from."""
    checkpoint_sha256: Mapped[str | None]

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None]
    """When a worker was last woken for it."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status"),
        CheckConstraint(f"queue IN ({_QUEUES})", name="queue"),
        CheckConstraint("(checkpoint_key IS NULL) = (checkpoint_sha256 IS NULL)", name="checkpoint"),
        CheckConstraint(
            f"({_OWNED}) = (claim_token IS NOT NULL AND lease_expires_at IS NOT NULL)",
            name="claim",
        ),
        Index("ix_experiments_kind_status", "kind", "status"),
        Index("ix_experiments_owner_id", "owner", "id"),
        # a plan that is carried out twice must not double its children
        Index(
            "uq_experiments_parent_id_name",
            "parent_id",
            "name",
            unique=True,
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
        Index("ix_experiments_queued", "queued_at", postgresql_where=text("status = 'queued'")),
        Index(
            "ix_experiments_leases",
            "lease_expires_at",
            postgresql_where=text(_OWNED),
        ),
    )


class ExperimentNeed(Base):
    """An experiment waits until another one is final."""

    __tablename__ = "experiment_needs"

    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True
    )
    """The one that waits."""
    needs_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    must_succeed: Mapped[bool]
    """Whether the one that waits fails unless the needed one succeeds."""


class LogLine(Base):
    """A line of an experiment's log; within one, ids grow in the order in which lines become visible.

    Written by `db.log_lines` alone.
    """

    __tablename__ = "log_lines"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    """The experiment's, when it was written; 0 before the first."""
    level: Mapped[str]
    message: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (Index(None, "experiment_id", "id"),)


class Artifact(Base):
    """A file an experiment left behind."""

    __tablename__ = "artifacts"

    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    bytes: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str]


class MetricSeries(Base):
    """What the values of one series have in common; filters look here, for there are few series.

    Written by `db.metrics.append` alone, in the transaction that inserts the values.
    """

    __tablename__ = "metric_series"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    name: Mapped[str]
    split: Mapped[str | None]
    layer: Mapped[int | None]
    backbone: Mapped[str | None]
    seed: Mapped[int | None]
    dataset: Mapped[str | None]
    first_id: Mapped[int] = mapped_column(server_default=text("0"))
    """Its first row; 0 only within the transaction that makes the series."""
    last_id: Mapped[int] = mapped_column(server_default=text("0"))
    """Its newest row."""

    __table_args__ = (
        UniqueConstraint(
            "experiment_id", "name", "split", "layer", "backbone", postgresql_nulls_not_distinct=True
        ),
        Index(None, "name", postgresql_ops={"name": "text_pattern_ops"}),
        # room beside each row, so that a new `last_id` touches no index
        {"postgresql_with": {"fillfactor": 50}},
    )


class Metric(Base):
    """One measured value; ids grow in the order in which rows become visible, so they serve as a cursor."""

    __tablename__ = "metrics"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("metric_series.id", ondelete="CASCADE"))
    step: Mapped[int | None]
    value: Mapped[float | None]
    """Null: not a number, or infinite."""
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (
        UniqueConstraint("series_id", "step", postgresql_nulls_not_distinct=True),
        Index(None, "series_id", "id"),
    )


class Model(Base):
    """A trained model: a folder of files in the store."""

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(server_default=text("''"))
    """Whose it is: the id of a key; empty: nobody's."""
    name: Mapped[str]
    version: Mapped[int]
    experiment_id: Mapped[str | None] = mapped_column(
        ForeignKey("experiments.id", ondelete="SET NULL"), index=True
    )
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
    storage_key: Mapped[str]
    """Prefix of its files."""
    files: Mapped[JSONObject]
    """File name → its sha256."""
    sha256: Mapped[str]
    """Of the sorted ``name sha256`` lines of `files`."""
    num_bytes: Mapped[int]
    num_sources: Mapped[int]
    card: Mapped[JSONObject]
    sources: Mapped[list[str]]
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        UniqueConstraint("owner", "name", "version"),
        Index("uq_models_default", "is_default", unique=True, postgresql_where=text("is_default")),
    )


class Backbone(Base):
    """A language model that was trained here: a Hugging Face folder in the store."""

    __tablename__ = "backbones"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(server_default=text("''"))
    """Whose it is: the id of a key; empty: nobody's."""
    name: Mapped[str]
    """The experiment's name, else its dataset's; for people, not unique."""
    experiment_id: Mapped[str | None] = mapped_column(
        ForeignKey("experiments.id", ondelete="SET NULL"), index=True
    )
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
    storage_key: Mapped[str]
    """Prefix of its files."""
    files: Mapped[JSONObject]
    """File name → its sha256."""
    sha256: Mapped[str]
    """Of the sorted ``name sha256`` lines of `files`; names its revision."""
    num_bytes: Mapped[int]
    family: Mapped[str]
    is_causal: Mapped[bool]
    num_layers: Mapped[int]
    hidden_size: Mapped[int]
    max_tokens: Mapped[int]
    poolings: Mapped[list[str]]
    card: Mapped[JSONObject]
    """What it was trained on and how."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LooseFiles(Base):
    """A prefix in the store whose files no other row accounts for: they are being written, or to be deleted.

    The row is committed before the first file is stored, and goes in the transaction that publishes them.
    """

    __tablename__ = "loose_files"

    prefix: Mapped[str] = mapped_column(primary_key=True)
    claim_token: Mapped[UUID | None] = mapped_column(index=True)
    """The files may stay as long as an experiment is owned under this token."""
    keep_until: Mapped[datetime] = mapped_column(server_default=func.now())
    """The files may stay until then."""


class IdempotencyKey(Base):
    """What a request with an `Idempotency-Key` made; a second one like it gets the same."""

    __tablename__ = "idempotency_keys"

    holder: Mapped[str] = mapped_column(primary_key=True)
    """Id of the API key it came with; empty without one."""
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    """SHA-256 of what was asked for."""
    resource_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class ApiKey(Base):
    """A key that a client shows; only its HMAC is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    """HMAC-SHA256 of the key under the server's secret, in hexadecimal digits."""
    scopes: Mapped[list[str]]
    owner: Mapped[str]
    """Id of the key whose rows it sees and adds to: its own, or another one's it shares them with."""
    requests_per_minute: Mapped[int | None]
    """Requests it may send; null: as many as the settings say."""
    texts_per_day: Mapped[int | None]
    """Texts it may have classified and embedded; null: as many as the settings say."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Counter(Base):
    """How often something has happened since the database was made; shown to Prometheus."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


class Worker(Base):
    """A worker process that has shown itself."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str]
    queues: Mapped[list[str]] = mapped_column(server_default=text("'[]'"))
    hears_calls: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether the broker answered it when it last showed itself."""
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
