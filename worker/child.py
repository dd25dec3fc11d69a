"""The process of one attempt: ``python -m worker.child``, started by a supervisor.

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
from types import FrameType

import setproctitle

from db import claims, datasets, experiments
from db.errors import DatabaseUnavailableError, StaleClaimError, StorageError
from db.session import Database
from db.storage import ArtifactStore
from db.tables import Experiment
from worker.assignment import Assignment
from worker.device import resolve_device
from worker.failures import describe
from worker.jobs.context import JobContext
from worker.jobs.registry import Job, find_job
from worker.logs import set_up_logging
from worker.reporter import Reporter

EXIT_DONE = 0
EXIT_LOST = 75
EXIT_DATABASE = 76
EXIT_TERMINATED = 128 + signal.SIGTERM

logger = logging.getLogger(__name__)


class _Terminated(BaseException):
    """The supervisor asked this process to end; no `Exception`, so that no job swallows it."""


def main(find_job: Callable[[str], Job[object]] = find_job) -> int:
    """Take the assignment from standard input and carry it out; returns the exit status."""
    assignment = Assignment.model_validate_json(sys.stdin.buffer.readline())
    setproctitle.setproctitle(f"sip job {assignment.experiment_id}")
    set_up_logging(assignment.settings.log_level)
    signal.signal(signal.SIGTERM, _terminate)
    _be_the_first_to_go()
    threading.Thread(target=_end_with_supervisor, args=(sys.stdin.fileno(),), daemon=True).start()
    database = Database(assignment.settings.require_database_url(), pool_size=2)
    try:
        return _attempt(assignment, database, find_job)
    except StaleClaimError as error:
        logger.warning("%s", error)
        return EXIT_LOST
    except DatabaseUnavailableError as error:
        logger.error("%s: %s", assignment.experiment_id, error)
        return EXIT_DATABASE
    except _Terminated:
        return EXIT_TERMINATED
    finally:
        database.close()


def _attempt(assignment: Assignment, database: Database, find_job: Callable[[str], Job[object]]) -> int:
    with database.session() as session:
        experiment = experiments.get(session, assignment.experiment_id)
    try:
        job = find_job(experiment.kind)
        context = _open(assignment, database, experiment, job)
        _run(job, context)
    except (StaleClaimError, DatabaseUnavailableError):
        raise
    except Exception as error:
        # whatever it is, another attempt would only meet it again
        logger.exception("%s: attempt %d failed", assignment.experiment_id, assignment.attempt)
        with database.session() as session:
            claims.fail(session, assignment.claim, describe(error))
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
    assignment: Assignment, database: Database, experiment: Experiment, job: Job[object]
) -> JobContext[object]:
    with database.session() as session:
        if experiment.dataset_id is None:
            raise StorageError("dataset: expected the dataset of this experiment, found it deleted")
        dataset = datasets.get(session, experiment.dataset_id)
    settings = assignment.settings
    store = ArtifactStore.from_settings(settings)
    return JobContext(
        experiment_id=experiment.id,
        kind=experiment.kind,
        name=experiment.name,
        config=job.read_config(experiment.config),
        seed=experiment.seed,
        attempt=assignment.attempt,
        settings=settings,
        device=resolve_device(settings.device),
        scratch=assignment.scratch,
        corpus_path=store.local_path(dataset.storage_key, dataset.storage_sha256),
        dataset_id=dataset.id,
        dataset_name=dataset.name,
        dataset_sha256=dataset.sha256,
        model_id=experiment.model_id,
        database=database,
        store=store,
        reporter=Reporter(database, assignment.claim, dataset.name, settings.lease_seconds),
        claim=assignment.claim,
        new_model_id=assignment.model_id,
    )


def _terminate(_signum: int, _frame: FrameType | None) -> None:
    raise _Terminated


def _be_the_first_to_go() -> None:
    # when memory runs out the kernel should take this process, not the worker that reports its death
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _end_with_supervisor(stdin: int) -> None:
    # read below Python's own stream, whose lock a waiting thread would hold when the interpreter ends
    while os.read(stdin, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
