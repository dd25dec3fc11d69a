"""Datasets as clients see them."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from api.schemas.fields import Name, Reference, StrictRequest
from db.tables import Dataset, Source

DatasetFormat = Literal["jsonl", "csv", "parquet", "text_folder"]


class DatasetOrigin(StrictRequest):
    """Where a dataset comes from when no file is sent: one of the two."""

    builtin: Reference | None = Field(default=None, description="A built-in corpus: `python-docs`.")
    path: Reference | None = Field(
        default=None,
        description="A file on the service's machine, inside one of its data roots (`SIP_DATA_ROOTS`). "
        "Its format is known by its name.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.builtin is None) == (self.path is None):
            found = "both" if self.builtin is not None else "neither"
            raise ValueError(f"expected one of builtin, path; found {found}")
        return self


class NewDataset(StrictRequest):
    """`POST /datasets` without a file."""

    name: Name = Field(description="Unique name; printable, without /, \\ and @.", examples=["python-docs"])
    origin: DatasetOrigin = Field(
        alias="from", description="Where it comes from.", examples=[{"builtin": "python-docs"}]
    )


class DatasetResource(BaseModel):
    """A corpus."""

    id: str = Field(description="`ds_…`, ordered by time of creation.")
    name: str = Field(description="Unique name; may stand wherever a dataset is asked for.")
    status: str = Field(description="`ready`: it can be used.")
    format: str = Field(description="Format it came in: jsonl, csv, parquet, text_folder or builtin.")
    num_documents: int = Field(description="Documents.")
    num_sources: int = Field(description="Distinct sources.")
    num_bytes: int = Field(description="UTF-8 bytes of all texts.")
    sha256: str = Field(description="Of the documents, whatever file format they came in.")
    created_at: datetime = Field(description="When it was added, RFC 3339, UTC.")

    @classmethod
    def of(cls, row: Dataset) -> Self:
        """The resource of a row."""
        return cls.model_validate(row, from_attributes=True)


class SourceResource(BaseModel):
    """A source of a dataset."""

    number: int = Field(description="Position in order of first appearance, from 0.")
    name: str = Field(description="Name of the source.")
    author: str | None = Field(description="Author, where all its documents agree on one.")
    num_documents: int = Field(description="Documents that have this source.")
    num_words: int = Field(description="Words (runs of non-space characters) of these documents.")

    @classmethod
    def of(cls, row: Source) -> Self:
        """The resource of a row."""
        return cls.model_validate(row, from_attributes=True)
