"""The worker: takes wake-up calls from the broker and runs one experiment at a time."""

import os
import socket
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import setproctitle
from celery import Celery, bootsteps
from celery.apps.worker import Worker
from celery.exceptions import SecurityWarning

from db.publisher import QUEUE, TASK, TRANSPORT_OPTIONS
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from worker.logs import set_up_logging
from worker.supervisor import CHILD_COMMAND, Supervisor
from worker.sweeper import Sweeper


def create_worker(settings: Settings, child_command: Sequence[str] = CHILD_COMMAND) -> Celery:
    """The Celery application of a worker; nothing is connected until it is run.

    Args:
        child_command: what the process of an attempt is started with.
    """
    name = f"{socket.gethostname()}:{os.getpid()}"
    database = Database(settings.require_database_url(), pool_size=4)
    supervisor = Supervisor(
        settings=settings,
        database=database,
        store=ArtifactStore.from_settings(settings),
        worker=name,
        stopping=threading.Event(),
        child_command=child_command,
    )
    app = Celery("sip", broker=settings.require_broker_url(), set_as_current=False)
    app.conf.update(
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a broker that is away comes back
        broker_transport_options=TRANSPORT_OPTIONS,
        task_default_queue=QUEUE,
        task_ignore_result=True,
        # the row is the record: a call is spent once it is heard, so the broker never repeats a long one
        task_acks_late=False,
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    app.task(supervisor.run, name=TASK)
    app.steps["worker"].add(_companion_step(supervisor, Sweeper(settings, database, name)))
    return app


def run_worker(settings: Settings, child_command: Sequence[str] = CHILD_COMMAND) -> int:
    """Run a worker in this process until SIGTERM or SIGINT; returns the exit status.

    A running experiment is ended and goes back to the queue.
    """
    set_up_logging(settings.log_level)
    # Celery warns of root because of messages that are unpickled; ours are JSON and carry an id
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = _TitledWorker(
        app=create_worker(settings, child_command),
        pool="threads",
        concurrency=1,
        loglevel=settings.log_level.upper(),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


class _TitledWorker(Worker):  # type: ignore[misc]  # Celery ships no types
    def set_process_status(self, info: str) -> None:
        setproctitle.setproctitle("sip worker")


def _companion_step(supervisor: Supervisor, sweeper: Sweeper) -> type[bootsteps.StartStopStep]:
    class Companions(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
        """Starts the sweeper with the pool, and ends the running experiment before the pool waits for it."""

        requires = ("celery.worker.components:Pool",)

        def start(self, parent: Any) -> None:
            sweeper.start()

        def stop(self, parent: Any) -> None:
            supervisor.stopping.set()
            sweeper.stop()

        terminate = stop

    return Companions
