"""Rows of datasets and their sources."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import String, cast, func, insert, or_, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import loose_files
from db.errors import ConflictError, NotFoundError
from db.ids import new_id
from db.owners import is_own, is_seen, viewer_of
from db.paging import Order, Page, fetch_page
from db.states import FINAL, Status
from db.storage import folder_of
from db.tables import Dataset, Experiment, JSONObject, Source

READY = "ready"
IMPORTING = "importing"
FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDataset:
    """What is known of a corpus once its file is in the store."""

    name: str
    format: str
    num_documents: int
    num_sources: int
    num_bytes: int
    """UTF-8 bytes of all texts."""
    sha256: str
    """Of the documents."""
    storage_key: str
    storage_sha256: str
    """Of the stored file."""
    id: str
    """`new_dataset_id()`; part of the storage key, so it is made before the file is stored."""
    status: str = READY


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A source of a new dataset."""

    name: str
    num_documents: int
    num_words: int
    author: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCorpus:
    """What an import has found, once its file is in the store."""

    num_documents: int
    num_sources: int
    num_bytes: int
    sha256: str
    storage_key: str
    """Of the only file in its folder."""
    storage_sha256: str
    origin: JSONObject
    sources: Sequence[NewSource]


def new_dataset_id() -> str:
    """An id for a dataset about to be stored."""
    return new_id("ds")


def add(session: Session, dataset: NewDataset, sources: Sequence[NewSource]) -> Dataset:
    """Insert a dataset and its sources, numbered as given; `ConflictError` when its name is taken."""
    row = Dataset(owner=viewer_of(session).owner, **asdict(dataset))
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise ConflictError(
            "a dataset of this name exists; choose another name, or delete that one"
        ) from error
    _add_sources(session, row.id, sources)
    session.refresh(row)
    return row


def _add_sources(session: Session, dataset_id: str, sources: Sequence[NewSource]) -> None:
    if sources:
        session.execute(
            insert(Source),
            [
                {"dataset_id": dataset_id, "number": number, **asdict(source)}
                for number, source in enumerate(sources)
            ],
        )


def begin_import(session: Session, name: str, format: str) -> Dataset:
    """Insert a dataset that an experiment is going to read; `ConflictError` when its name is taken."""
    dataset_id = new_dataset_id()
    new = NewDataset(
        id=dataset_id,
        name=name,
        format=format,
        num_documents=0,
        num_sources=0,
        num_bytes=0,
        sha256="",
        storage_key=f"datasets/{dataset_id}",
        storage_sha256="",
        status=IMPORTING,
    )
    return add(session, new, [])


def finish_import(session: Session, dataset_id: str, corpus: ImportedCorpus) -> None:
    """Make a dataset ready; its file is accounted for from now on.

    Raises `ConflictError` unless it is being imported.
    """
    row = session.get(Dataset, dataset_id, with_for_update=True, populate_existing=True)
    if row is None or row.status != IMPORTING:
        raise ConflictError("the dataset isn't being imported")
    row.status = READY
    row.num_documents, row.num_sources = corpus.num_documents, corpus.num_sources
    row.num_bytes, row.sha256, row.origin = corpus.num_bytes, corpus.sha256, corpus.origin
    row.storage_key, row.storage_sha256 = corpus.storage_key, corpus.storage_sha256
    session.flush()
    _add_sources(session, dataset_id, corpus.sources)
    loose_files.forget(session, [folder_of(corpus.storage_key)])


def fail_import(session: Session, experiment: Experiment) -> None:
    """Note that the dataset an experiment has ended without importing failed; any other stays as it is."""
    error_type, message = experiment.error_type, experiment.error_message
    if experiment.status == Status.CANCELLED:
        error_type, message = "Cancelled", "the import was cancelled"
    _change_import(
        session, experiment, IMPORTING, {"status": FAILED, "error_type": error_type, "error_message": message}
    )


def resume_import(session: Session, experiment: Experiment) -> None:
    """Note that an import that failed is tried again; an experiment that is none changes nothing."""
    _change_import(
        session, experiment, FAILED, {"status": IMPORTING, "error_type": None, "error_message": None}
    )


def _change_import(
    session: Session, experiment: Experiment, status: str, values: dict[str, str | None]
) -> None:
    # only what the experiment makes: others use datasets that are ready
    session.execute(
        update(Dataset)
        .where(Dataset.experiment_id == experiment.id, Dataset.status == status)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def exists(session: Session, name: str) -> bool:
    """Whether whoever adds one has a dataset of this name, to refuse an upload before reading it."""
    statement = select(Dataset.id).where(Dataset.name == name, is_own(session, Dataset))
    return session.scalar(statement) is not None


def get(session: Session, id_or_name: str) -> Dataset:
    """The dataset of this id, else of this name: one's own, else the oldest one seen; `NotFoundError`."""
    row = session.scalar(
        select(Dataset)
        .where(or_(Dataset.id == id_or_name, Dataset.name == id_or_name), is_seen(session, Dataset))
        .order_by(Dataset.id != id_or_name, ~is_own(session, Dataset), Dataset.id)
        .limit(1)
    )
    if row is None:
        raise NotFoundError("dataset", id_or_name)
    return row


def names(session: Session, dataset_ids: Collection[str]) -> dict[str, str]:
    """Id → name; those that don't exist (any more) are left out."""
    statement = select(Dataset.id, Dataset.name).where(Dataset.id.in_(dataset_ids))
    return {row.id: row.name for row in session.execute(statement)}


def page(
    session: Session, *, limit: int = 50, cursor: str | None = None, order: Order = "desc"
) -> Page[Dataset, str]:
    """Datasets by age; the cursor is an id."""
    return fetch_page(
        session,
        select(Dataset).where(is_seen(session, Dataset)),
        Dataset.id,
        lambda row: row.id,
        limit=limit,
        cursor=cursor,
        order=order,
    )


def sources_page(
    session: Session, dataset_id: str, *, limit: int = 50, cursor: int | None = None, order: Order = "asc"
) -> Page[Source, int]:
    """Sources of a dataset by number; the cursor is a number."""
    statement = select(Source).where(Source.dataset_id == dataset_id)
    return fetch_page(
        session, statement, Source.number, lambda row: row.number, limit=limit, cursor=cursor, order=order
    )


def keep(session: Session, dataset_ids: Sequence[str]) -> None:
    """Hold datasets that an experiment names until this transaction ends, so that none is deleted before the
    experiment exists; `ConflictError` when one is gone."""
    wanted = sorted(dataset_ids)
    found = session.scalars(
        select(Dataset.id)
        .where(Dataset.id.in_(wanted))
        .order_by(Dataset.id)
        .with_for_update(read=True, key_share=True)
    ).all()
    if len(found) < len(wanted):
        raise ConflictError("a dataset it names was deleted meanwhile")


def delete(session: Session, id_or_name: str) -> str:
    """Delete a dataset and return its storage key, whose file the caller removes once this is committed.

    Raises `NotFoundError`, and `ConflictError` while an experiment that isn't final uses it.
    """
    dataset_id = get(session, id_or_name).id
    # new experiments lock the row they refer to, so none can slip in between the check and the deletion
    row = session.scalar(select(Dataset).where(Dataset.id == dataset_id).with_for_update())
    if row is None:
        raise NotFoundError("dataset", id_or_name)
    in_use = session.scalar(
        select(func.count())
        .select_from(Experiment)
        .where(
            Experiment.status.not_in(FINAL),
            or_(Experiment.dataset_id == dataset_id, cast(Experiment.config, String).contains(dataset_id)),
        )
    )
    if in_use:
        raise ConflictError(f"{in_use} unfinished experiment(s) use this dataset; cancel or await them")
    session.execute(sql_delete(Dataset).where(Dataset.id == dataset_id))
    loose_files.note(session, [row.storage_key])
    return row.storage_key
