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

from db.states import Status

JSON = None | bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"]
JSONObject = dict[str, JSON]

_STATUSES = ", ".join(f"'{status.value}'" for status in Status)
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
    name: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    format: Mapped[str]
    num_documents: Mapped[int]
    num_sources: Mapped[int]
    num_bytes: Mapped[int]
    """UTF-8 bytes of all texts."""
    sha256: Mapped[str]
    """Of the documents, whatever file they came in."""
    storage_key: Mapped[str]
    storage_sha256: Mapped[str]
    """Of the stored file."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


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

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None]
    """When a worker was last woken for it."""
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status"),
        CheckConstraint(
            f"({_OWNED}) = (claim_token IS NOT NULL AND lease_expires_at IS NOT NULL)",
            name="claim",
        ),
        Index("ix_experiments_queued", "queued_at", postgresql_where=text("status = 'queued'")),
        Index(
            "ix_experiments_leases",
            "lease_expires_at",
            postgresql_where=text(_OWNED),
        ),
    )


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


class Metric(Base):
    """One measured value; ids grow in the order in which rows become visible, so they serve as a cursor."""

    __tablename__ = "metrics"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    name: Mapped[str]
    value: Mapped[float | None]
    """Null: not a number, or infinite."""
    step: Mapped[int | None]
    split: Mapped[str | None]
    layer: Mapped[int | None]
    seed: Mapped[int | None]
    backbone: Mapped[str | None]
    dataset: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (
        UniqueConstraint(
            "experiment_id", "name", "step", "split", "layer", postgresql_nulls_not_distinct=True
        ),
        Index(None, "experiment_id", "id"),
    )


class Model(Base):
    """A trained model: a folder of files in the store."""

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(primary_key=True)
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
        UniqueConstraint("name", "version"),
        Index("uq_models_default", "is_default", unique=True, postgresql_where=text("is_default")),
    )


class Worker(Base):
    """A worker process that has shown itself."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
