"""Rows of trained models: published by the attempt that made them, found by id, name or version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Select, exists, func, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from db import keys, loose_files
from db.errors import ConflictError, NotFoundError
from db.ids import new_id
from db.locks import Lock, hold
from db.owners import is_own, is_seen
from db.paging import Order, Page, fetch_page
from db.states import FINAL
from db.storage import StoredFile
from db.tables import Experiment, JSONObject, Model

DEFAULT = "default"
_LARGEST_VERSION = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """A model whose files are in the store."""

    id: str
    """`new_model_id()`."""
    name: str
    storage_key: str
    """Prefix of its files."""
    files: Mapping[str, StoredFile]
    card: JSONObject
    sources: Sequence[str]


class NumberedSource(NamedTuple):
    """A source a model knows, with its number in the model's distributions."""

    number: int
    name: str


def new_model_id() -> str:
    """An id for a model about to be stored."""
    return new_id("mdl")


def publish(session: Session, model: NewModel, *, experiment_id: str, dataset_id: str | None) -> Model:
    """Insert a model as the next version of its name among those of the experiment's owner.

    Where there is no default yet it becomes that, if it is nobody's or an admin's: all use the default.
    """
    hold(session, Lock.MODELS)
    owner = session.scalars(select(Experiment.owner).where(Experiment.id == experiment_id)).one()
    newest = session.scalar(
        select(func.max(Model.version)).where(Model.name == model.name, Model.owner == owner)
    )
    is_wanted = not session.scalar(select(exists().where(Model.is_default)))
    hashes = {name: stored.sha256 for name, stored in sorted(model.files.items())}
    row = Model(
        id=model.id,
        owner=owner,
        name=model.name,
        version=(newest or 0) + 1,
        experiment_id=experiment_id,
        dataset_id=dataset_id,
        storage_key=model.storage_key,
        files=dict(hashes),
        sha256=_sha256_of(hashes),
        num_bytes=sum(stored.num_bytes for stored in model.files.values()),
        num_sources=len(model.sources),
        card=model.card,
        sources=list(model.sources),
        is_default=is_wanted and (not owner or keys.is_admin(session, owner)),
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, reference: str) -> Model:
    """The model named by an id, `name@version`, a name (its newest version) or `default`; `NotFoundError`.

    Of several owners' models of a name one's own come first. The default is there for all.
    """
    if reference == DEFAULT:
        row = session.scalars(select(Model).where(Model.is_default)).one_or_none()
    else:
        row = session.scalar(_seen(session).where(Model.id == reference))
        row = row or session.scalar(_named(session, reference))
    if row is None:
        name, at, version = reference.rpartition("@")
        if at and version.isascii() and version.isdigit() and int(version) <= _LARGEST_VERSION:
            row = session.scalar(_named(session, name).where(Model.version == int(version)))
    if row is None:
        raise NotFoundError("model", reference)
    return row


def page(
    session: Session, *, limit: int = 50, cursor: str | None = None, order: Order = "desc"
) -> Page[Model, str]:
    """Models by age; the cursor is an id."""
    return fetch_page(
        session, _seen(session), Model.id, lambda row: row.id, limit=limit, cursor=cursor, order=order
    )


def sources_page(
    session: Session, model_id: str, *, limit: int = 50, cursor: int | None = None, order: Order = "asc"
) -> Page[NumberedSource, int]:
    """Sources of a model by number; the cursor is a number. `NotFoundError`."""
    row = session.get(Model, model_id)
    if row is None:
        raise NotFoundError("model", model_id)
    last = len(row.sources) - 1
    if order == "asc":
        numbers = range(0 if cursor is None else cursor + 1, last + 1)
    else:
        numbers = range(last if cursor is None else min(cursor - 1, last), -1, -1)
    rows = [NumberedSource(number, row.sources[number]) for number in islice(numbers, limit)]
    return Page(rows, rows[-1].number if len(numbers) > limit else None)


def set_default(session: Session, reference: str) -> Model:
    """Make a model the one served under `default`; `NotFoundError`."""
    hold(session, Lock.MODELS)
    row = get(session, reference)
    session.execute(update(Model).where(Model.is_default, Model.id != row.id).values(is_default=False))
    row.is_default = True
    session.flush()
    return row


def delete(session: Session, model_id: str) -> str:
    """Delete a model and return the storage prefix the caller removes once this is committed.

    Raises `NotFoundError`, and `ConflictError` for the default or while an unfinished experiment uses it.
    """
    hold(session, Lock.MODELS)
    row = session.get(Model, model_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("model", model_id)
    if row.is_default:
        raise ConflictError("this model is the default; make another one the default first")
    in_use = session.scalar(
        select(func.count())
        .select_from(Experiment)
        .where(Experiment.model_id == row.id, Experiment.status.not_in(FINAL))
    )
    if in_use:
        raise ConflictError(f"{in_use} unfinished experiment(s) use this model; cancel them or wait for them")
    session.execute(sql_delete(Model).where(Model.id == row.id))
    loose_files.note(session, [row.storage_key])
    return row.storage_key


def of_dataset(session: Session, dataset_id: str) -> Sequence[Model]:
    """The models trained on a dataset, locked until the end of the transaction."""
    found = select(Model).where(Model.dataset_id == dataset_id).order_by(Model.id).with_for_update()
    return session.scalars(found).all()


def withdraw_file(session: Session, model: Model, name: str, num_bytes: int) -> str:
    """Take a file out of a model for good; its key, which the caller removes once this is committed.

    Args:
        model: locked.
        name: of a file it has.
        num_bytes: of the file.
    """
    hashes = {other: str(digest) for other, digest in model.files.items() if other != name}
    model.files = dict(hashes)
    model.sha256, model.num_bytes = _sha256_of(hashes), model.num_bytes - num_bytes
    session.flush()
    key = f"{model.storage_key}/{name}"
    loose_files.note(session, [key])
    return key


def _sha256_of(hashes: Mapping[str, str]) -> str:
    """Of a model: of the sorted ``name sha256`` lines of its files."""
    return sha256("".join(f"{name} {hashes[name]}\n" for name in sorted(hashes)).encode()).hexdigest()


def _seen(session: Session) -> Select[Model]:
    return select(Model).where(is_seen(session, Model))


def _named(session: Session, name: str) -> Select[Model]:
    """The newest version of a name: one's own, else the first owner's."""
    return (
        _seen(session)
        .where(Model.name == name)
        .order_by(~is_own(session, Model), Model.owner, Model.version.desc())
        .limit(1)
    )
