"""The process of one attempt, forked from a template (`worker.template`) that a supervisor has started.

It ends with 0 when it has written the experiment's end itself; with anything else the supervisor does.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import setproctitle

from db import claims, datasets, experiments
from db.errors import DatabaseUnavailableError, StaleClaimError, StorageError, StorageUnavailableError
from db.logs import set_up_logging
from db.process_limits import limit_memory, physical_memory_bytes
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from db.tables import Experiment
from worker.assignment import Assignment
from worker.failures import describe
from worker.jobs.context import JobContext, StoredCorpus, kept_checkpoint
from worker.jobs.registry import Job, find_job
from worker.mirror import TensorBoardMirror
from worker.patience import transact
from worker.reporter import Reporter
from worker.stopping import StopRequest, Terminated

EXIT_DONE = 0
EXIT_LOST = 75
EXIT_DATABASE = 76
EXIT_TERMINATED = 128 + signal.SIGTERM
_NICENESS = 5
"""Requests go before experiments where both want the same processor."""

logger = logging.getLogger(__name__)


def main(find_job: Callable[[str], Job[object]] = find_job) -> int:
    """Take the assignment from standard input and carry it out; returns the exit status."""
    line = sys.stdin.buffer.readline()
    if not line:
        return EXIT_LOST  # the supervisor went before it gave one
    assignment = Assignment.model_validate_json(line)
    setproctitle.setproctitle(f"sip job {assignment.experiment_id}")
    set_up_logging(
        assignment.settings,
        "job",
        worker=assignment.worker,
        experiment=assignment.experiment_id,
        attempt=assignment.attempt,
        request_id=assignment.request_id,
    )
    _limit_memory(assignment)
    stop_request = StopRequest(assignment.settings.stop_seconds / 2)
    stop_request.listen()
    _give_way()
    threading.Thread(target=_end_with_supervisor, args=(sys.stdin.fileno(),), daemon=True).start()
    database = Database(assignment.settings.require_database_url(), pool_size=2)
    try:
        return _attempt(assignment, database, stop_request, find_job)
    except StaleClaimError as error:
        logger.warning("%s", error)
        return EXIT_LOST
    except DatabaseUnavailableError as error:
        logger.error("%s: %s", assignment.experiment_id, error)
        return EXIT_DATABASE
    except Terminated:
        return EXIT_TERMINATED
    finally:
        database.close()


def _attempt(
    assignment: Assignment,
    database: Database,
    stop_request: StopRequest,
    find_job: Callable[[str], Job[object]],
) -> int:
    settings = assignment.settings
    patience = settings.lease_seconds
    experiment = transact(database, lambda s: experiments.get(s, assignment.experiment_id), patience)
    try:
        job = find_job(experiment.kind)
        logger.info("%s begins on %s", experiment.kind, assignment.device)
        context = _open(assignment, database, stop_request, experiment, job)
        _run(job, context)
    except (StaleClaimError, DatabaseUnavailableError):
        raise
    except StorageUnavailableError as error:
        logger.warning("%s: attempt %d ends: %s", assignment.experiment_id, assignment.attempt, error)
        failure = describe(error)
        transact(
            database, lambda s: claims.crash(s, assignment.claim, failure, settings.max_attempts), patience
        )
    except Exception as error:
        # whatever it is, another attempt would only meet it again
        logger.exception("%s: attempt %d failed", assignment.experiment_id, assignment.attempt)
        failure = describe(error)
        transact(database, lambda s: claims.fail(s, assignment.claim, failure), patience)
    return EXIT_DONE


def _run(job: Job[object], context: JobContext[object]) -> None:
    context.reporter.start()
    try:
        job.run(context)
    except (StaleClaimError, DatabaseUnavailableError):
        raise
    except Exception:
        context.reporter.stop()
        raise
    context.finish()


def _open(
    assignment: Assignment,
    database: Database,
    stop_request: StopRequest,
    experiment: Experiment,
    job: Job[object],
) -> JobContext[object]:
    settings, store = assignment.settings, ArtifactStore.from_settings(assignment.settings)
    corpus = _corpus(settings, database, store, experiment, assignment.scratch)
    return JobContext(
        experiment_id=experiment.id,
        kind=experiment.kind,
        name=experiment.name,
        config=job.read_config(experiment.config),
        seed=experiment.seed,
        attempt=assignment.attempt,
        settings=settings,
        device=assignment.device,
        scratch=assignment.scratch,
        corpus=corpus,
        model_id=experiment.model_id,
        database=database,
        store=store,
        reporter=Reporter(
            database,
            assignment.claim,
            corpus and corpus.name,
            settings.lease_seconds,
            _mirror(assignment, database),
        ),
        claim=assignment.claim,
        stop_request=stop_request,
        kept_checkpoint=kept_checkpoint(experiment),
    )


def _mirror(assignment: Assignment, database: Database) -> TensorBoardMirror | None:
    """Where metrics go a second time, if anywhere; a folder that can't be written is no reason to stop."""
    folder = assignment.settings.tensorboard_dir
    if folder is None:
        return None
    try:
        return TensorBoardMirror(folder, assignment.experiment_id)
    except OSError as error:
        message = f"metrics are not mirrored for TensorBoard: {error}"
        logger.warning("%s", message)
        patience = assignment.settings.lease_seconds
        transact(database, lambda s: claims.warn(s, assignment.claim, message), patience)
        return None


def _corpus(
    settings: Settings, database: Database, store: ArtifactStore, experiment: Experiment, scratch: Path
) -> StoredCorpus | None:
    """What it reads, or where an import is to write it."""
    dataset_id = experiment.dataset_id
    if dataset_id is None:
        if experiment.kind == experiments.SUITE:
            return None
        raise StorageError("dataset: expected the dataset of this experiment, found it deleted")
    dataset = transact(database, lambda s: datasets.get(s, dataset_id), settings.lease_seconds)
    if dataset.status == datasets.IMPORTING:
        path = scratch / "corpus.parquet"
    else:
        path = store.local_path(dataset.storage_key, dataset.storage_sha256)
    return StoredCorpus(path, dataset.id, dataset.name, dataset.sha256)


def _limit_memory(assignment: Assignment) -> None:
    wanted = assignment.settings.max_job_memory_bytes
    if wanted is not None:
        limit_memory(wanted)
    elif assignment.device == "cpu":
        # what a GPU's driver reserves is more than there is, and no memory
        limit_memory(physical_memory_bytes())


def _give_way() -> None:
    os.nice(_NICENESS)
    # when memory runs out the kernel should take this process, not the worker that reports its death
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _end_with_supervisor(stdin: int) -> None:
    # read below Python's own stream, whose lock a waiting thread would hold when the interpreter ends
    while os.read(stdin, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)
