"""Corpora."""

from typing import Any, Literal, NotRequired, TypedDict

from client.answers.experiments import Failure


class Dataset(TypedDict):
    """A corpus the service holds, or imports by `experiment`: its numbers are 0 until it is ready."""

    id: str
    name: str
    status: Literal["importing", "ready", "failed"]
    format: str
    num_documents: int
    num_sources: int
    num_bytes: int
    sha256: str | None
    experiment: NotRequired[str | None]
    origin: NotRequired[dict[str, Any] | None]
    error: NotRequired[Failure | None]
    created_at: str


class Source(TypedDict):
    """A source of a dataset or of a model; which counts it has depends on whose it is."""

    name: str
    number: NotRequired[int]
    source_id: NotRequired[int]
    author: NotRequired[str | None]
    num_documents: NotRequired[int]
    num_words: NotRequired[int]
