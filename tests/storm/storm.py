"""One storm from the first server's start to the last check."""

import os
import random
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import func, select

from db import migrate
from db.session import Database
from db.settings import Settings
from db.states import FINAL
from db.tables import Experiment, LooseFiles
from tests.cli.service import RunningService, running_service
from tests.end_to_end.small_corpus import write_small_corpus
from tests.storm.audit import begin_audit, changes
from tests.storm.checks import read_outcome
from tests.storm.fleet import Fleet
from tests.storm.leftovers import adopt_orphans, leftovers
from tests.storm.report import Course, broken_promises, print_counts
from tests.storm.servers import StormServers
from tests.storm.submission import Submission
from tests.storm.trouble import Trouble

_SUBMISSION_SHARE = 0.6
"""The part of the storm's time over which jobs are submitted."""
_CALM_SECONDS = 240.0
_TIDY_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_LONGEST_LIST = 20


@dataclass(frozen=True, slots=True)
class StormOptions:
    """How hard it blows."""

    seed: int
    minutes: float
    jobs: int
    workers: int


class Storm:
    """A storm.

    Args:
        folder: an empty one; deleted when all is well.
    """

    def __init__(self, options: StormOptions, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._servers = StormServers(folder)

    def run(self) -> int:
        """Blow, wait for calm, check and print; returns the exit status."""
        adopt_orphans()
        urls = self._servers.start()
        settings = self._settings(urls.database_url, urls.broker_url)
        database = Database(urls.database_url)
        try:
            migrate.upgrade(urls.database_url)
            begin_audit(database)
            course = self._blow(database, settings)
            outcome, record = read_outcome(database, settings), changes(database)
        finally:
            database.close()
            self._servers.stop()
        print_counts(course, outcome, record)
        broken = broken_promises(course, outcome, record, settings.max_attempts)
        broken["no private files are left"] = [path.name for path in settings.scratch_dir.glob("*")]
        broken["no process is left"] = [f"{p.pid}: {' '.join(p.cmdline())}" for p in leftovers()]
        return self._conclude(broken)

    def _conclude(self, broken: dict[str, list[str]]) -> int:
        for promise, lines in broken.items():
            print(f"{f'{len(lines)} BROKEN' if lines else 'ok':>10} | {promise}")
            for line in lines[:_LONGEST_LIST]:
                print(f"{'':>13}{line}")
        if any(broken.values()):
            print(f"\nA promise broke; logs and data are in {self._folder}")
            return 1
        shutil.rmtree(self._folder)
        print("\nEvery promise held.")
        return 0

    def _settings(self, database_url: str, broker_url: str) -> Settings:
        return Settings(
            data_dir=self._folder / "data",
            artifacts_url=str(self._folder / "artifacts"),
            database_url=database_url,
            broker_url=broker_url,
            device="cpu",
            lease_seconds=6.0,
            heartbeat_seconds=0.5,
            sweep_seconds=1.0,
            stop_seconds=2.0,
        )

    def _blow(self, database: Database, settings: Settings) -> Course:
        """Trouble while jobs are submitted, then calm until all are final and nothing is left over."""
        logs = self._folder / "logs"
        logs.mkdir()
        seconds, seed = self._options.minutes * 60, self._options.seed
        with ExitStack() as stack:
            service = stack.enter_context(self._service(settings))
            stack.callback(lambda: (logs / "api.log").write_text("\n".join(service.lines)))
            submission = Submission(
                settings,
                database,
                service.url,
                self._add_dataset(service.url),
                self._options.jobs,
                seconds * _SUBMISSION_SHARE,
                random.Random(f"{seed} jobs"),
            )
            fleet = Fleet(settings, self._options.workers, logs)
            generator = random.Random(f"{seed} trouble")
            trouble = Trouble(
                settings, self._servers, fleet, self._options.workers, submission.accepted, generator
            )
            try:
                submission.start()
                trouble.make(seconds)
                submission.finish()
                course = Course(
                    blows=trouble.counts,
                    exits=fleet.exits,
                    accepted=submission.accepted,
                    answers=submission.answers,
                    final_seconds=_wait(lambda: _num_unfinished(database), _CALM_SECONDS),
                    tidy_seconds=_wait(lambda: _num_untidy(database, settings), _TIDY_SECONDS),
                )
            finally:
                statuses = fleet.stop()
        course.last_statuses = statuses
        return course

    def _service(self, settings: Settings) -> AbstractContextManager[RunningService]:
        os.environ |= {
            "SIP_DATABASE_URL": settings.require_database_url(),
            "SIP_BROKER_URL": settings.require_broker_url(),
            "SIP_ARTIFACTS_URL": settings.artifacts_url,
            "SIP_DEVICE": settings.device,
        }
        return running_service(settings.data_dir, "--workers", "0")

    def _add_dataset(self, url: str) -> tuple[str, str]:
        corpus = write_small_corpus(self._folder / "corpus.jsonl")
        response = httpx.post(
            f"{url}/datasets",
            data={"name": "small"},
            files={"file": ("corpus.jsonl", corpus.read_bytes())},
            timeout=60,
            trust_env=False,
        )
        response.raise_for_status()
        return "small", str(response.json()["id"])


def _wait(num_left: Callable[[], int], seconds: float) -> float:
    """Wait until nothing is left, or the time is up; returns how long that was."""
    began = time.monotonic()
    while num_left() and time.monotonic() - began < seconds:
        time.sleep(_LOOK_SECONDS)
    return time.monotonic() - began


def _num_unfinished(database: Database) -> int:
    with database.session() as session:
        unfinished = select(func.count()).select_from(Experiment).where(Experiment.status.not_in(FINAL))
        return session.scalars(unfinished).one()


def _num_untidy(database: Database, settings: Settings) -> int:
    with database.session() as session:
        loose = session.scalars(select(func.count()).select_from(LooseFiles)).one()
    return loose + len(list(settings.scratch_dir.glob("*")))
