"""How an attempt comes to own an experiment, keeps it and gives it up.

Every write of an attempt carries its claim's token. A write that finds another token, or another state,
changes nothing and raises `StaleClaimError`. All times are the database's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from db import backbones, counters, datasets, log_lines, loose_files, metrics, models, needs
from db.errors import StaleClaimError
from db.experiments import artifacts_prefix
from db.log_lines import Level
from db.states import FINAL, OWNED, Queue, Status, move
from db.storage import StoredFile, folder_of
from db.tables import Artifact, Experiment, Model


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt's right to an experiment."""

    experiment_id: str
    kind: str
    token: UUID
    attempt: int
    queue: Queue = Queue.GPU
    """Where it goes back to."""
    request_id: str | None = None
    """Of the HTTP request it came with."""

    @property
    def artifacts_prefix(self) -> str:
        """Where the artifacts of this attempt are stored."""
        return f"{artifacts_prefix(self.experiment_id)}/{self.attempt}"

    def corpus_prefix(self, dataset_id: str) -> str:
        """Where the file of a dataset imported in this attempt is stored."""
        return f"datasets/{dataset_id}/{self.token.hex}"

    @property
    def model_prefix(self) -> str:
        """Where the files of a model made in this attempt are stored."""
        return f"models/{self.token.hex}"

    @property
    def backbone_prefix(self) -> str:
        """Where the files of a backbone made in this attempt are stored."""
        return f"backbones/{self.token.hex}"

    @property
    def prefixes(self) -> list[str]:
        """Everywhere that files of this attempt may be stored, checkpoints aside."""
        return [self.artifacts_prefix, self.model_prefix, self.backbone_prefix]


class Command(StrEnum):
    """What a heartbeat brings back."""

    CONTINUE = "continue"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a phase of an attempt is."""

    phase: str
    done: int
    total: int
    unit: str
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArtifact:
    """A stored file to publish with the result."""

    name: str
    media_type: str
    stored: StoredFile


class Failure(NamedTuple):
    """Why an attempt went wrong."""

    error_type: str
    message: str


class Reaped(NamedTuple):
    """An experiment taken from a worker that stopped answering."""

    experiment_id: str
    status: Status
    queue: Queue


def claim(session: Session, experiment_id: str, worker: str, lease_seconds: float) -> Claim | None:
    """Make a queued experiment this worker's; None when it isn't queued (any more) or doesn't exist.

    From now on the store may hold files below the claim's prefixes; they are deleted unless it succeeds.
    """
    row = session.execute(
        update(Experiment)
        .where(Experiment.id == experiment_id, Experiment.status == Status.QUEUED)
        .values(
            status=Status.RUNNING,
            claim_token=uuid4(),
            lease_expires_at=func.now() + timedelta(seconds=lease_seconds),
            worker=worker,
            attempt=Experiment.attempt + 1,
            started_at=func.coalesce(Experiment.started_at, func.now()),
            phase=None,
            done=None,
            total=None,
            unit=None,
            eta_seconds=None,
        )
        .returning(Experiment)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        return None
    assert row.claim_token is not None
    log_lines.note(session, row, f"attempt {row.attempt} begins on worker {worker}")
    claim = Claim(experiment_id, row.kind, row.claim_token, row.attempt, Queue(row.queue), row.request_id)
    loose_files.note(session, claim.prefixes, claim_token=claim.token)
    return claim


def heartbeat(session: Session, claim: Claim, lease_seconds: float) -> Command:
    """Renew the lease; `CANCEL` when someone asked for that; `StaleClaimError` when the claim is lost."""
    status = session.scalar(
        update(Experiment)
        .where(
            Experiment.id == claim.experiment_id,
            Experiment.claim_token == claim.token,
            Experiment.status.in_(OWNED),
        )
        .values(lease_expires_at=func.now() + timedelta(seconds=lease_seconds))
        .returning(Experiment.status)
    )
    if status is None:
        raise StaleClaimError(claim.experiment_id, claim.attempt)
    return Command.CANCEL if status == Status.CANCELLING else Command.CONTINUE


def record(
    session: Session,
    claim: Claim,
    *,
    progress: Progress | None,
    new_metrics: Sequence[metrics.NewMetric],
    dataset: str | None,
) -> None:
    """Write progress and metrics of a running attempt; `StaleClaimError` when it is lost or to be cancelled.

    Args:
        dataset: name of the dataset, stored with each metric.
    """
    row = _hold(session, claim, frozenset({Status.RUNNING}))
    if progress is not None:
        if progress.phase != row.phase:
            log_lines.note(session, row, _beginning(progress))
        row.phase, row.done, row.total, row.unit = (
            progress.phase,
            progress.done,
            progress.total,
            progress.unit,
        )
        row.eta_seconds = progress.eta_seconds
        session.flush()
    metrics.append(session, row, dataset, new_metrics)


def resume(session: Session, claim: Claim, step: int) -> None:
    """Write which training step a running attempt takes up from; `StaleClaimError` when it is lost."""
    row = _hold(session, claim, frozenset({Status.RUNNING}))
    row.resumed_from_step = step
    log_lines.note(session, row, f"takes up from step {step}, where an earlier attempt left a checkpoint")


def warn(session: Session, claim: Claim, message: str) -> None:
    """Write into the log of a running attempt that something isn't as meant; `StaleClaimError`."""
    log_lines.note(session, _hold(session, claim, OWNED), message, Level.WARNING)


def begin_checkpoint(session: Session, claim: Claim, key: str) -> None:
    """Note that a running attempt stores a checkpoint under `key`; `StaleClaimError` when it is lost.

    Args:
        key: of the only file in its folder, which may hold a half-written one too if the attempt dies.
    """
    _hold(session, claim, frozenset({Status.RUNNING}))
    loose_files.note(session, [folder_of(key)], claim_token=claim.token)


def keep_checkpoint(session: Session, claim: Claim, stored: StoredFile) -> str | None:
    """Make a stored checkpoint the one to take up from; `StaleClaimError` when the claim is lost.

    Returns:
        The folder of the one it takes the place of, which is to be deleted.
    """
    row = _hold(session, claim, frozenset({Status.RUNNING}))
    before, row.checkpoint_key, row.checkpoint_sha256 = row.checkpoint_key, stored.key, stored.sha256
    loose_files.forget(session, [folder_of(stored.key)])
    session.flush()
    # the same: a write that is repeated, as nobody could tell whether it had gone through
    if before is None or before == stored.key:
        return None
    loose_files.note(session, [folder_of(before)])
    return folder_of(before)


def begin_storing(session: Session, claim: Claim, prefix: str) -> None:
    """Note that a running attempt stores files below `prefix`; `StaleClaimError` when it is lost."""
    _hold(session, claim, frozenset({Status.RUNNING}))
    loose_files.note(session, [prefix], claim_token=claim.token)


def publish_corpus(session: Session, claim: Claim, corpus: datasets.ImportedCorpus) -> None:
    """Make the dataset of a running import ready; `StaleClaimError` when it is lost."""
    row = _hold(session, claim, frozenset({Status.RUNNING}))
    if row.dataset_id is not None:
        datasets.finish_import(session, row.dataset_id, corpus)


def succeed(
    session: Session,
    claim: Claim,
    *,
    artifacts: Sequence[NewArtifact],
    model: models.NewModel | None,
    backbone: backbones.NewBackbone | None = None,
) -> Model | None:
    """End the experiment well and publish what it leaves; `StaleClaimError` publishes nothing."""
    row = _hold(session, claim, frozenset({Status.RUNNING}))
    if artifacts:
        session.execute(
            insert(Artifact),
            [
                {
                    "experiment_id": row.id,
                    "name": artifact.name,
                    "media_type": artifact.media_type,
                    "bytes": artifact.stored.num_bytes,
                    "sha256": artifact.stored.sha256,
                    "storage_key": artifact.stored.key,
                }
                for artifact in artifacts
            ],
        )
    published = None
    if model is not None:
        published = models.publish(session, model, experiment_id=row.id, dataset_id=row.dataset_id)
        row.model_id = published.id
    if backbone is not None:
        row.backbone_id = backbones.publish(
            session, backbone, experiment_id=row.id, dataset_id=row.dataset_id
        ).id
    row.error_type = row.error_message = None
    row.eta_seconds = None
    loose_files.forget(session, claim.prefixes)
    if row.checkpoint_key is not None:
        loose_files.note(session, [folder_of(row.checkpoint_key)])
        row.checkpoint_key = row.checkpoint_sha256 = None
    _leave(session, row, Status.SUCCEEDED)
    return published


def fail(session: Session, claim: Claim, failure: Failure) -> Status:
    """End the experiment with an error that another attempt would only meet again."""
    row = _hold(session, claim, OWNED)
    row.error_type, row.error_message = failure
    log_lines.note(session, row, _ending(row, failure), Level.ERROR)
    return _leave(session, row, Status.FAILED)


def wait_for_children(session: Session, claim: Claim, children: Sequence[needs.NewChild]) -> None:
    """Give up the claim until children, inserted here, are final; then the experiment is queued again.

    Args:
        children: at least one.

    Raises `StaleClaimError`, which inserts nothing, and `ConflictError` when a dataset was deleted.
    """
    row = _hold(session, claim, frozenset({Status.RUNNING}))
    needs.add_children(session, row, children)
    row.error_type = row.error_message = None
    _leave(session, row, Status.WAITING)


def release(session: Session, claim: Claim) -> Status:
    """Give the experiment back to the queue because the worker stops; costs it nothing."""
    row = _hold(session, claim, OWNED)
    log_lines.note(session, row, f"worker {row.worker} stops and gives it back")
    return _leave(session, row, Status.QUEUED)


def crash(session: Session, claim: Claim, failure: Failure, max_attempts: int) -> Status:
    """Give the experiment back after its process died; failed when it has died `max_attempts` times."""
    row = _hold(session, claim, OWNED)
    return _leave(session, row, _after_crash(session, row, failure, max_attempts))


def reap(session: Session, max_attempts: int, limit: int = 100) -> list[Reaped]:
    """Take experiments from workers whose lease ran out; each such loss counts as a crash."""
    rows = session.scalars(
        select(Experiment)
        .where(Experiment.status.in_(OWNED), Experiment.lease_expires_at < func.now())
        .order_by(Experiment.lease_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    reaped = []
    for row in rows:
        failure = Failure("WorkerLost", f"worker {row.worker} stopped answering during attempt {row.attempt}")
        status = _let_go(session, row, _after_crash(session, row, failure, max_attempts))
        reaped.append(Reaped(row.id, status, Queue(row.queue)))
    needs.ended(session, [row for row in rows if Status(row.status) in FINAL])
    counters.increment(session, counters.Name.LEASES_LOST, by=len(reaped))
    return reaped


def _hold(session: Session, claim: Claim, statuses: frozenset[Status]) -> Experiment:
    row = session.scalar(
        select(Experiment)
        .where(
            Experiment.id == claim.experiment_id,
            Experiment.claim_token == claim.token,
            Experiment.status.in_(statuses),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise StaleClaimError(claim.experiment_id, claim.attempt)
    return row


def _after_crash(session: Session, row: Experiment, failure: Failure, max_attempts: int) -> Status:
    """Count a crash; returns where the experiment goes from there."""
    row.crashes += 1
    counters.increment(session, counters.Name.ATTEMPTS_CRASHED)
    row.error_type, row.error_message = failure
    log_lines.note(session, row, _ending(row, failure), Level.WARNING)
    if row.crashes >= max_attempts:
        row.error_message += f"; given up after {row.crashes} such attempts"
        return Status.FAILED
    return Status.QUEUED


def _leave(session: Session, row: Experiment, target: Status) -> Status:
    """End the claim; where that ends the experiment, those that wait for it move on."""
    target = _let_go(session, row, target)
    if target in FINAL:
        needs.ended(session, [row])
    return target


def _let_go(session: Session, row: Experiment, target: Status) -> Status:
    if row.status == Status.CANCELLING:
        target = Status.CANCELLED
    now = session.scalars(select(func.now())).one()
    row.status = move(row.status, target)
    row.claim_token = row.lease_expires_at = None
    if target in FINAL:
        row.finished_at = now
    else:
        row.queued_at, row.published_at = now, None
    said = "waits for its parts" if target == Status.WAITING else target
    log_lines.note(session, row, said, Level.ERROR if target == Status.FAILED else Level.INFO)
    return target


def _beginning(progress: Progress) -> str:
    return f"begins: {progress.phase}" + (f", {progress.total} {progress.unit}" if progress.total > 1 else "")


def _ending(row: Experiment, failure: Failure) -> str:
    return f"attempt {row.attempt} ends: {failure.error_type}: {failure.message}"
