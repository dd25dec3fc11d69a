"""What nobody will ask for any more: files without a row, copies and leftovers, metrics of long ago.

Everything here may run beside the service: whoever stores files for longer than `GRACE` before their rows are
committed has noted them in `loose_files`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from db.errors import StorageError, StorageUnavailableError
from db.session import Database
from db.states import FINAL, OWNED, Status
from db.storage import ArtifactStore
from db.tables import Artifact, Backbone, Dataset, Experiment, LooseFiles, Metric, MetricSeries, Model

GRACE = timedelta(hours=24)
_BATCH_ROWS = 10_000


class Leftover(NamedTuple):
    """A file nobody needs."""

    name: str
    """Its key in the store, or its path."""
    num_bytes: int


def unaccounted_files(database: Database, store: ArtifactStore, now: datetime) -> Iterator[Leftover]:
    """Files of the store that no row accounts for and that were stored before `now` - `GRACE`.

    Raises `StorageUnavailableError`.
    """
    listed = store.files()  # before the rows: what is published meanwhile is among them
    with database.session() as session:
        keys, prefixes = _accounted(session)
    for file in listed:
        if file.key in keys or any(parent in prefixes for parent in _parents(file.key)):
            continue
        try:
            modified_at = store.modified_at(file.key)
        except StorageUnavailableError:
            raise
        except StorageError:
            continue  # gone meanwhile
        if modified_at < now - GRACE:
            yield Leftover(file.key, file.num_bytes)


def unused_copies(database: Database, downloads: Path, now: datetime) -> Iterator[Leftover]:
    """Local copies of stored files that nobody has asked for since `now` - `GRACE`.

    They can be fetched again. Those that an unfinished experiment reads are left.
    """
    with database.session() as session:
        in_use = _read_by_unfinished(session)
    for path in _files_below(downloads):
        key = path.relative_to(downloads).as_posix()
        if _is_old(path, now) and not any(parent in in_use for parent in _parents(key)):
            yield from _leftover(path)


def abandoned_files(database: Database, folder: Path, now: datetime) -> Iterator[Leftover]:
    """Files in a folder of uploads or of scratch files that were last written before `now` - `GRACE`.

    The scratch folder of an attempt that may still run is left.
    """
    with database.session() as session:
        owned = set(session.scalars(select(Experiment.id).where(Experiment.status.in_(OWNED))))
    for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
        files = [entry] if entry.is_file() else _files_below(entry)
        if entry.name.partition("-")[0] in owned or not all(_is_old(path, now) for path in files):
            continue
        for path in files:
            yield from _leftover(path)


def remove_local(leftover: Leftover, folder: Path) -> None:
    """Remove a local leftover, and the folders below `folder` that are empty then."""
    path = Path(leftover.name)
    path.unlink(missing_ok=True)
    for parent in path.parents:
        if parent == folder:
            break
        try:
            parent.rmdir()
        except OSError:
            break  # it isn't empty


def count_old_metrics(session: Session, days: int) -> int:
    """How many metrics belong to experiments that ended more than `days` days ago."""
    return session.scalar(select(func.count()).select_from(Metric).where(_is_old_metric(days))) or 0


def delete_old_metrics(database: Database, days: int) -> int:
    """Delete those metrics, some thousands per transaction so that nobody waits; returns how many."""
    num_deleted = 0
    while True:
        with database.session() as session:
            batch = select(Metric.id).where(_is_old_metric(days)).limit(_BATCH_ROWS)
            found = session.scalars(delete(Metric).where(Metric.id.in_(batch)).returning(Metric.id)).all()
            if len(found) < _BATCH_ROWS:
                session.execute(delete(MetricSeries).where(_is_old_series(days)))
        num_deleted += len(found)
        if len(found) < _BATCH_ROWS:
            return num_deleted


def _is_old_metric(days: int) -> ColumnElement[bool]:
    return Metric.series_id.in_(select(MetricSeries.id).where(_is_old_series(days)))


def _is_old_series(days: int) -> ColumnElement[bool]:
    ended = select(Experiment.id).where(
        Experiment.status.in_(FINAL), Experiment.finished_at < func.now() - timedelta(days=days)
    )
    return MetricSeries.experiment_id.in_(ended)


def _accounted(session: Session) -> tuple[set[str], set[str]]:
    """Keys of files, and prefixes of files, that rows account for."""
    keys = set(session.scalars(select(Dataset.storage_key)))
    keys.update(session.scalars(select(Artifact.storage_key)))
    # one that succeeded has no use for its checkpoint
    kept = and_(Experiment.checkpoint_key.is_not(None), Experiment.status != Status.SUCCEEDED)
    keys.update(key for key in session.scalars(select(Experiment.checkpoint_key).where(kept)) if key)
    for table in (Model, Backbone):
        for prefix, files in session.execute(select(table.storage_key, table.files)):
            keys.update(f"{prefix}/{name}" for name in files)
    owned = exists().where(Experiment.claim_token == LooseFiles.claim_token, Experiment.status.in_(OWNED))
    waiting = select(LooseFiles.prefix).where(or_(LooseFiles.keep_until > func.now(), owned))
    return keys, set(session.scalars(waiting))


def _read_by_unfinished(session: Session) -> set[str]:
    unfinished = Experiment.status.not_in(FINAL)
    corpora = select(Dataset.storage_key).join(Experiment, Experiment.dataset_id == Dataset.id)
    trained = select(Model.storage_key).join(Experiment, Experiment.model_id == Model.id)
    return {
        *session.scalars(corpora.where(unfinished)),
        *session.scalars(trained.where(unfinished)),
    }


def _parents(key: str) -> Iterator[str]:
    """The key and every prefix of it that ends where a part does."""
    parts = key.split("/")
    for length in range(1, len(parts) + 1):
        yield "/".join(parts[:length])


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []


def _is_old(path: Path, now: datetime) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return datetime.fromtimestamp(max(found.st_mtime, found.st_atime), UTC) < now - GRACE


def _leftover(path: Path) -> Iterator[Leftover]:
    try:
        yield Leftover(str(path), path.stat().st_size)
    except FileNotFoundError:
        return
