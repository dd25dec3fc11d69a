"""Rows of backbones that were trained here: published by the attempt that made them, found by id."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from db import loose_files
from db.errors import ConflictError, NotFoundError
from db.ids import new_id
from db.owners import is_seen
from db.states import FINAL
from db.storage import ArtifactStore, StoredFile
from db.tables import JSON, Backbone, Experiment, JSONObject, Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What an experiment's configuration is checked against."""

    family: str
    is_causal: bool
    num_layers: int
    hidden_size: int
    max_tokens: int
    poolings: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBackbone:
    """A backbone whose files are in the store."""

    id: str
    """`new_backbone_id()`."""
    name: str
    storage_key: str
    """Prefix of its files."""
    files: Mapping[str, StoredFile]
    description: Description
    card: JSONObject


@dataclass(frozen=True, slots=True)
class StoredBackbone:
    """A backbone's row and the store its files are in."""

    row: Backbone
    store: ArtifactStore

    @property
    def info(self) -> dict[str, JSON]:
        """What can be known of it without its files."""
        row = self.row
        return {
            "id": row.id,
            "revision": row.sha256,
            "family": row.family,
            "is_causal": row.is_causal,
            "num_layers": row.num_layers,
            "hidden_size": row.hidden_size,
            "max_tokens": row.max_tokens,
            "poolings": row.poolings,
        }

    def folder(self) -> Path:
        """A folder of this machine with its files, each verified; `StorageError`."""
        files = {name: str(digest) for name, digest in self.row.files.items()}
        return self.store.local_folder(self.row.storage_key, files)


def find(session: Session, store: ArtifactStore, backbone_id: str) -> StoredBackbone | None:
    """The backbone of an id, None where there is none."""
    row = _seen(session, backbone_id)
    return None if row is None else StoredBackbone(row, store)


def new_backbone_id() -> str:
    """An id for a backbone about to be stored."""
    return new_id("bb")


def publish(
    session: Session, backbone: NewBackbone, *, experiment_id: str, dataset_id: str | None
) -> Backbone:
    """Insert a backbone, which belongs to the experiment's owner."""
    hashes = {name: stored.sha256 for name, stored in sorted(backbone.files.items())}
    row = Backbone(
        id=backbone.id,
        owner=session.scalars(select(Experiment.owner).where(Experiment.id == experiment_id)).one(),
        name=backbone.name,
        experiment_id=experiment_id,
        dataset_id=dataset_id,
        storage_key=backbone.storage_key,
        files=dict(hashes),
        sha256=sha256("".join(f"{name} {digest}\n" for name, digest in hashes.items()).encode()).hexdigest(),
        num_bytes=sum(stored.num_bytes for stored in backbone.files.values()),
        **asdict(backbone.description) | {"poolings": list(backbone.description.poolings)},
        card=backbone.card,
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, backbone_id: str) -> Backbone:
    """The backbone of this id; `NotFoundError`."""
    row = _seen(session, backbone_id)
    if row is None:
        raise NotFoundError("backbone", backbone_id)
    return row


def count(session: Session) -> int:
    """How many there are."""
    counted = select(func.count()).select_from(Backbone).where(is_seen(session, Backbone))
    return session.scalar(counted) or 0


def listed(session: Session, *, limit: int, offset: int = 0) -> Sequence[Backbone]:
    """Backbones from the oldest on."""
    statement = select(Backbone).where(is_seen(session, Backbone)).order_by(Backbone.id)
    return session.scalars(statement.limit(limit).offset(offset)).all()


def keep(session: Session, backbone_ids: Sequence[str]) -> None:
    """Hold these backbones until this transaction ends, so that none is deleted before an experiment that
    uses them exists; `ConflictError` when one is gone."""
    wanted = sorted(set(backbone_ids))
    found = session.scalars(
        select(Backbone.id).where(Backbone.id.in_(wanted)).order_by(Backbone.id).with_for_update(read=True)
    ).all()
    if len(found) < len(wanted):
        raise ConflictError("a backbone it names was deleted meanwhile")


def delete(session: Session, backbone_id: str) -> str:
    """Delete a backbone and return the storage prefix the caller removes once this is committed.

    Raises `NotFoundError`, and `ConflictError` while a model reads it or an unfinished experiment names it.
    """
    get(session, backbone_id)
    row = session.get(Backbone, backbone_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("backbone", backbone_id)
    experiments = session.scalar(
        select(func.count())
        .select_from(Experiment)
        .where(
            Experiment.status.not_in(FINAL),
            or_(Experiment.backbone_id == row.id, cast(Experiment.config, String).contains(row.id)),
        )
    )
    if experiments:
        raise ConflictError(
            f"{experiments} unfinished experiment(s) use this backbone; cancel them or wait for them"
        )
    trained = session.scalar(
        select(func.count()).select_from(Model).where(cast(Model.card, String).contains(row.id))
    )
    if trained:
        raise ConflictError(f"{trained} model(s) read this backbone; delete them first")
    session.execute(sql_delete(Backbone).where(Backbone.id == row.id))
    loose_files.note(session, [row.storage_key])
    return row.storage_key


def _seen(session: Session, backbone_id: str) -> Backbone | None:
    return session.scalar(select(Backbone).where(Backbone.id == backbone_id, is_seen(session, Backbone)))
