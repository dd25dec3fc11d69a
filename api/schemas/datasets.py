"""Datasets as clients see them."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field, JsonValue, model_validator

from api.schemas.fields import Name, Reference, StrictRequest
from db.tables import Dataset, Source

DatasetFormat = Literal["jsonl", "csv", "parquet", "text_folder", "pg19", "wikitext", "xmc"]
DatasetStatus = Literal["importing", "ready", "failed"]


class HubDataset(StrictRequest):
    """Data files (Parquet, JSON Lines, CSV) of a dataset repository of the Hugging Face Hub."""

    repo: Reference = Field(
        description="Id of the repository; one of the allow-list's (`SIP_ALLOWED_HUB_DATASETS`).",
        examples=["fancyzhx/ag_news"],
    )
    config: Reference | None = Field(
        default=None, description="Which of its configurations; null: its default or only one."
    )
    split: Reference | None = Field(
        default=None, description="Which split; null: all, each document with the one it is in."
    )
    text_column: Reference = Field(default="text", description="Column of the text.")
    source_column: Reference = Field(
        default="source",
        description="Column of the source's name, or of a list of names.",
        examples=["label"],
    )
    revision: Reference | None = Field(
        default=None, description="Branch, tag or commit; the commit it resolves to is kept in `origin`."
    )


class DatasetOrigin(StrictRequest):
    """Where a dataset comes from when no file is sent: one of the four."""

    builtin: Reference | None = Field(default=None, description="A built-in corpus: `python-docs`.")
    path: Reference | None = Field(
        default=None,
        description="A file or folder of the workers' machines, inside one of the data roots "
        "(`SIP_DATA_ROOTS`). A folder is read as a zip of its name would be.",
    )
    uri: Reference | None = Field(
        default=None,
        description="A file of an object store, of one of the configured schemes "
        "(`SIP_ALLOWED_URI_SCHEMES`).",
        examples=["s3://bucket/corpus.jsonl.gz"],
    )
    hub: HubDataset | None = Field(default=None, description="A dataset repository of the hub.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of builtin, path, uri, hub; found {len(given)} of them")
        return self


class NewDataset(StrictRequest):
    """`POST /datasets` without a file."""

    name: Name = Field(description="Unique name; printable, without /, \\ and @.", examples=["python-docs"])
    origin: DatasetOrigin = Field(
        alias="from", description="Where it comes from.", examples=[{"builtin": "python-docs"}]
    )
    format: DatasetFormat | None = Field(
        default=None,
        description="Format of a path or URI, where its name doesn't tell it. Of the hub, `wikitext` for "
        "repositories whose rows are its lines.",
    )


class ImportFailure(BaseModel):
    """Why an import failed."""

    type: str = Field(description="Kind of error.")
    message: str = Field(description="What happened and what to do.")


class DatasetResource(BaseModel):
    """A corpus."""

    id: str = Field(description="`ds_…`, ordered by time of creation.")
    name: str = Field(description="Unique name; may stand wherever a dataset is asked for.")
    status: DatasetStatus = Field(
        description="`importing`: an experiment reads it; `ready`: it can be used; `failed`: see `error`."
    )
    format: str = Field(description="Format it came in: one of those a file may have, hub or builtin.")
    num_documents: int = Field(description="Documents; 0, as the other numbers, until it is ready.")
    num_sources: int = Field(description="Distinct sources.")
    num_bytes: int = Field(description="UTF-8 bytes of all texts.")
    sha256: str | None = Field(
        description="Of the documents, whatever file format they came in; null until it is ready."
    )
    experiment: str | None = Field(
        description="The import that reads it: an experiment of the kind `ingest`, to watch, cancel or "
        "retry; null for uploads and built-ins."
    )
    origin: dict[str, JsonValue] | None = Field(
        description="Where it was imported from, with the commit of a hub's repository; null until it is "
        "ready, and for uploads and built-ins."
    )
    error: ImportFailure | None = Field(description="Why its import failed; null unless it did.")
    created_at: datetime = Field(description="When it was added, RFC 3339, UTC.")

    @classmethod
    def of(cls, row: Dataset) -> Self:
        """The resource of a row."""
        failed = row.error_type is not None
        return cls(
            id=row.id,
            name=row.name,
            status=row.status,
            format=row.format,
            num_documents=row.num_documents,
            num_sources=row.num_sources,
            num_bytes=row.num_bytes,
            sha256=row.sha256 or None,
            experiment=row.experiment_id,
            origin=row.origin,
            error=ImportFailure(type=row.error_type or "", message=row.error_message or "")
            if failed
            else None,
            created_at=row.created_at,
        )


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


class ChunkSample(BaseModel):
    """A chunk of a document."""

    document: str = Field(description="Id of the document.")
    sources: list[str] = Field(description="Its sources.")
    start: int = Field(description="Where the chunk starts in its document, in code points.")
    end: int = Field(description="Where it ends.")
    text: str = Field(description="The chunk.")


class ChunkSamples(BaseModel):
    """Answer of `GET /datasets/{dataset}/chunks`."""

    data: list[ChunkSample] = Field(description="In the order of the corpus, of distinct documents.")
