"""Models as clients see them."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field, JsonValue

from db.tables import Model


class ModelSummary(BaseModel):
    """A trained source identifier."""

    id: str = Field(description="`mdl_…`, ordered by time of creation.")
    name: str = Field(description="Name; its newest version is meant where a model is asked for by name.")
    version: int = Field(description="Version under this name, from 1.")
    is_default: bool = Field(description="Whether it answers where no model is named.")
    experiment: str | None = Field(description="Experiment that trained it; null once deleted.")
    dataset: str | None = Field(description="Dataset it was trained on; null once deleted.")
    num_sources: int = Field(description="Sources it tells apart.")
    num_bytes: int = Field(description="Size of its files.")
    sha256: str = Field(description="Of the sorted lines `file name, sha256` of its files.")
    created_at: datetime = Field(description="When it was made, RFC 3339, UTC.")

    @classmethod
    def of(cls, row: Model) -> Self:
        """The summary of a row."""
        return cls(**_columns(row))


class ModelResource(ModelSummary):
    """A model with its card."""

    files: dict[str, str] = Field(description="SHA-256 by file name, as in the download.")
    card: dict[str, JsonValue] = Field(
        description="Corpus, configuration, calibration, metrics and versions."
    )

    @classmethod
    def of(cls, row: Model) -> Self:
        """The resource of a row."""
        return cls(**_columns(row), files=row.files, card=row.card)


class ModelSource(BaseModel):
    """A source a model knows."""

    source_id: int = Field(description="Number of the source in this model, from 0.")
    name: str = Field(description="Name of the source.")


def _columns(row: Model) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "is_default": row.is_default,
        "experiment": row.experiment_id,
        "dataset": row.dataset_id,
        "num_sources": row.num_sources,
        "num_bytes": row.num_bytes,
        "sha256": row.sha256,
        "created_at": row.created_at,
    }
