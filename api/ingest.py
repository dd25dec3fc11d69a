"""From a file, a path or a built-in corpus to a dataset: read whole, stored, committed; or nothing kept."""

import errno
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio.to_thread
from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from api.errors import (
    InvalidRequestError,
    StateConflictError,
    UnavailableError,
    UnsupportedMediaTypeError,
    invalid,
    located,
)
from api.json_body import is_json, parse_json
from api.schemas.datasets import DatasetFormat, DatasetOrigin, NewDataset
from api.schemas.fields import Name
from api.services import Services
from api.upload import Upload, received_upload
from api.validation import field_errors
from db import datasets
from db.tables import Dataset
from sip_model.corpora.builtin import BUILTIN, read_builtin
from sip_model.corpora.document import Document
from sip_model.corpora.formats import detect_format, read_corpus
from sip_model.corpora.store import write_corpus
from sip_model.corpora.summary import CorpusSummary

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_FORMAT: TypeAdapter[str] = TypeAdapter(DatasetFormat)

Documents = Callable[[], Iterator[Document]]


async def add_dataset(services: Services, request: Request) -> tuple[Dataset, int]:
    """The dataset that a multipart or JSON body asks for, and the status that says how it came.

    Uploads and built-ins answer 201; a path answers 202, as imports do, with the dataset ready already.
    """
    content_type = request.headers.get("content-type", "")
    if is_json(content_type):
        wanted = _parse(await request.body())
        documents, format, prefix = _documents_of(services, wanted.origin)
        row = await _in_thread(services, wanted.name, format, documents, prefix)
        return row, 201 if wanted.origin.builtin is not None else 202
    if content_type.lower().startswith("multipart/form-data"):
        async with received_upload(request, services.settings.data_dir / "uploads") as upload:
            name, format = _checked_fields(upload)
            row = await _in_thread(
                services, name, format, lambda: read_corpus(upload.path, format), ("body", "file")
            )
        return row, 201
    raise UnsupportedMediaTypeError(
        "Content-Type: expected multipart/form-data or application/json; found another."
    )


async def _in_thread(
    services: Services, name: str, format: str, documents: Documents, prefix: tuple[str, ...]
) -> Dataset:
    return await anyio.to_thread.run_sync(
        keep_dataset, services, name, format, documents, prefix, limiter=services.ingest_slots
    )


def keep_dataset(
    services: Services, name: str, format: str, documents: Documents, prefix: tuple[str, ...]
) -> Dataset:
    """Read, store and commit a corpus.

    Args:
        documents: opens the corpus; may raise ``CorpusError`` while it is read.
        prefix: where in the request the corpus stands, for the errors.

    Raises:
        InvalidRequestError: the corpus can't be used; loc names line and field.
        StateConflictError: the name is taken.
        UnavailableError: no disk space.
    """
    with services.database.session() as session:
        if datasets.exists(session, name):
            raise StateConflictError(
                "A dataset of this name exists. Choose another name, or delete that one first."
            )
    scratch = services.settings.scratch_dir
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="corpus-", dir=scratch) as folder, located(*prefix):
            path = Path(folder) / "corpus.parquet"
            summary = write_corpus(_until_stopping(services, documents()), path)
            return _commit(services, name, format, summary, path)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        detail = "The service has no disk space left for this corpus."
        raise UnavailableError(detail, headers={"Retry-After": "60"}) from error


def _until_stopping(services: Services, documents: Iterator[Document]) -> Iterator[Document]:
    """A thread can't be interrupted, and a service that stops doesn't wait for the end of a corpus."""
    for document in documents:
        if services.stopping.is_set():
            raise UnavailableError(
                "The service is stopping; nothing was kept.", headers={"Retry-After": "30"}
            )
        yield document


def _commit(services: Services, name: str, format: str, summary: CorpusSummary, path: Path) -> Dataset:
    dataset_id = datasets.new_dataset_id()
    key = f"datasets/{dataset_id}/corpus.parquet"
    stored = services.store.put_file(key, path)
    new = datasets.NewDataset(
        id=dataset_id,
        name=name,
        format=format,
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
    try:
        with services.database.session() as session:
            return datasets.add(session, new, sources)
    except BaseException:
        services.store.delete_prefix(f"datasets/{dataset_id}")
        raise


def _parse(body: bytes) -> NewDataset:
    try:
        return NewDataset.model_validate(parse_json(body))
    except ValidationError as error:
        raise InvalidRequestError.of(field_errors(error.errors(include_url=False), ("body",))) from None


def _documents_of(services: Services, origin: DatasetOrigin) -> tuple[Documents, str, tuple[str, ...]]:
    if origin.builtin is not None:
        builtin = origin.builtin
        if builtin not in BUILTIN:
            raise invalid(("body", "from", "builtin"), f"one of {', '.join(BUILTIN)}", "another name")
        return lambda: read_builtin(builtin), "builtin", ("body", "from", "builtin")
    path = _inside_data_roots(services, origin.path or "")
    with located("body", "from", "path"):
        format = detect_format(path.name)
    return lambda: read_corpus(path, format), format, ("body", "from", "path")


def _inside_data_roots(services: Services, given: str) -> Path:
    roots = [root.resolve() for root in services.settings.data_roots]
    loc, expected = ("body", "from", "path"), "an existing file inside a data root (SIP_DATA_ROOTS)"
    if not roots:
        raise invalid(
            loc, "data roots to be configured (SIP_DATA_ROOTS)", "none", "Send the file itself instead."
        )
    try:
        path = Path(given).resolve(strict=True)
        inside = path.is_file() and any(path.is_relative_to(root) for root in roots)
    except (OSError, RuntimeError, ValueError):
        inside = False
    if not inside:
        raise invalid(loc, expected, "another path, or none there")
    return path


def _checked_fields(upload: Upload) -> tuple[str, str]:
    name = _checked(_NAME, upload.fields.get("name"), "name")
    if "format" in upload.fields:
        return name, _checked(_FORMAT, upload.fields["format"], "format")
    with located("body"):
        return name, detect_format(upload.filename)


def _checked(adapter: TypeAdapter[str], value: str | None, field: str) -> str:
    if value is None:
        raise invalid(("body", field), "this field", "nothing")
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InvalidRequestError.of(field_errors(error.errors(include_url=False), ("body", field))) from None
