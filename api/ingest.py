"""From a file or a built-in corpus to a dataset: read whole, stored, committed; or nothing kept."""

import errno
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread
from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.errors import (
    InvalidRequestError,
    StateConflictError,
    UnavailableError,
    UnsupportedMediaTypeError,
    invalid,
    located,
)
from api.idempotency import Wish, make_once
from api.imports import NAME_TAKEN, start_import
from api.json_body import is_json, parse_json
from api.schemas.datasets import DatasetFormat, NewDataset
from api.schemas.fields import Name
from api.services import Services
from api.upload import Upload, received_upload
from api.validation import field_errors
from db import datasets, loose_files
from db.idempotency import RequestKey
from db.storage import folder_of
from db.tables import Dataset
from sip_model.corpora.builtin import BUILTIN, read_builtin
from sip_model.corpora.document import Document
from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.corpora.limits import CorpusLimits
from sip_model.corpora.store import write_corpus
from sip_model.corpora.summary import CorpusSummary

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_FORMAT: TypeAdapter[str] = TypeAdapter(DatasetFormat)

ROUTE = "POST /datasets"
STORING_SECONDS = 3600.0
"""Longest time that storing a corpus' file may take."""


class Added(NamedTuple):
    """What became of a request for a dataset."""

    row: Dataset
    replayed: bool
    """Whether an earlier request with the same idempotency key has made it."""
    status: int
    """HTTP status that says how it came."""


@dataclass(frozen=True, slots=True)
class _Corpus:
    """A corpus about to be read."""

    name: str
    format: str
    documents: Callable[[], Iterator[Document]]
    """Opens it; may raise ``CorpusError`` while it is read."""
    place: tuple[str, ...]
    """Where in the request it stands, for the errors."""


async def add_dataset(services: Services, request: Request, key: RequestKey | None) -> Added:
    """The dataset that a multipart or JSON body asks for.

    Uploads and built-ins answer 201; whatever else is named answers 202, and a worker imports it.
    """
    content_type = request.headers.get("content-type", "")
    stated = request.headers.get("content-length", "")
    await anyio.to_thread.run_sync(services.disk.require, int(stated) if stated.isdecimal() else 0)
    if is_json(content_type):
        wanted = _parse(await request.body(), services.settings.max_json_depth)
        wish = Wish.of(key, ROUTE, wanted)
        if wanted.origin.builtin is None:
            return Added(*await anyio.to_thread.run_sync(start_import, services, wanted, wish), status=202)
        corpus = _builtin_corpus(services, wanted, wanted.origin.builtin)
        return Added(*await _in_thread(services, corpus, wish), status=201)
    if content_type.lower().startswith("multipart/form-data"):
        async with received_upload(request, services.settings.data_dir / "uploads") as upload:
            corpus = _uploaded_corpus(upload, CorpusLimits(**services.settings.corpus_limits))
            wish = Wish.of(key, ROUTE, upload.sha256, corpus.name, corpus.format)
            return Added(*await _in_thread(services, corpus, wish), status=201)
    raise UnsupportedMediaTypeError(
        "Content-Type: expected multipart/form-data or application/json; found another."
    )


async def _in_thread(services: Services, corpus: _Corpus, wish: Wish) -> tuple[Dataset, bool]:
    return await anyio.to_thread.run_sync(_keep_once, services, corpus, wish, limiter=services.ingest_slots)


def _keep_once(services: Services, corpus: _Corpus, wish: Wish) -> tuple[Dataset, bool]:
    return make_once(services.database, wish, lambda session: _keep(services, session, corpus), datasets.get)


def _keep(services: Services, session: Session, corpus: _Corpus) -> Dataset:
    """Read a corpus and store it within one transaction, which waits meanwhile.

    Raises:
        InvalidRequestError: the corpus can't be used; loc names line and field.
        StateConflictError: the name is taken.
        UnavailableError: no disk space.
    """
    session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    if datasets.exists(session, corpus.name):
        raise StateConflictError(NAME_TAKEN)
    scratch = services.settings.scratch_dir
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="corpus-", dir=scratch) as folder, located(*corpus.place):
            path = Path(folder) / "corpus.parquet"
            summary = write_corpus(_until_stopping(services, corpus.documents()), path)
            return _store(services, session, corpus, summary, path)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        detail = "The service has no disk space left for this corpus."
        raise UnavailableError(detail, headers={"Retry-After": "60"}) from error


def _until_stopping(services: Services, documents: Iterator[Document]) -> Iterator[Document]:
    """A thread can't be interrupted, and a service that stops doesn't wait for the end of a corpus."""
    for document in documents:
        _check_not_stopping(services)
        yield document


def _check_not_stopping(services: Services) -> None:
    if services.stopping.is_set():
        raise UnavailableError("The service is stopping; nothing was kept.", headers={"Retry-After": "30"})


def _store(
    services: Services, session: Session, corpus: _Corpus, summary: CorpusSummary, path: Path
) -> Dataset:
    """Store the file and add the rows. Whatever becomes of the transaction, and even when nobody can tell
    what did, the file stays exactly if the rows do: until the commit it is a loose one, which the workers'
    sweeper deletes in time.
    """
    dataset_id = datasets.new_dataset_id()
    key = f"datasets/{dataset_id}/corpus.parquet"
    with services.database.session() as beforehand:
        loose_files.note(beforehand, [folder_of(key)], keep_seconds=STORING_SECONDS)
    stored = services.store.put_file(key, path)
    loose_files.forget(session, [folder_of(key)])
    new = datasets.NewDataset(
        id=dataset_id,
        name=corpus.name,
        format=corpus.format,
        num_documents=summary.num_documents,
        num_sources=summary.num_sources,
        num_bytes=summary.num_bytes,
        sha256=summary.sha256,
        storage_key=key,
        storage_sha256=stored.sha256,
    )
    sources = [
        datasets.NewSource(
            name=source.name,
            num_documents=source.num_documents,
            num_words=source.num_words,
            author=source.author,
        )
        for source in summary.sources
    ]
    return datasets.add(session, new, sources)


def _parse(body: bytes, max_depth: int) -> NewDataset:
    try:
        return NewDataset.model_validate(parse_json(body, max_depth))
    except ValidationError as error:
        raise InvalidRequestError.of(field_errors(error.errors(include_url=False), ("body",))) from None


def _builtin_corpus(services: Services, wanted: NewDataset, builtin: str) -> _Corpus:
    place = ("body", "from", "builtin")
    if builtin not in BUILTIN:
        raise invalid(place, f"one of {', '.join(BUILTIN)}", "another name")
    if wanted.format is not None:
        raise invalid(("body", "format"), "none for a built-in corpus", "one")
    check = partial(_check_not_stopping, services)
    return _Corpus(wanted.name, "builtin", lambda: read_builtin(builtin, check), place)


def _uploaded_corpus(upload: Upload, limits: CorpusLimits) -> _Corpus:
    name = _checked(_NAME, upload.fields.get("name"), "name")
    if "format" in upload.fields:
        format = _checked(_FORMAT, upload.fields["format"], "format")
    else:
        with located("body"):
            format = detect_format(upload.filename)
    return _Corpus(name, format, lambda: read_corpus(upload.path, format, limits), ("body", "file"))


def _checked(adapter: TypeAdapter[str], value: str | None, field: str) -> str:
    if value is None:
        raise invalid(("body", field), "this field", "nothing")
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InvalidRequestError.of(field_errors(error.errors(include_url=False), ("body", field))) from None
