"""The worker: takes wake-up calls from the broker and runs one experiment at a time."""

import os
import secrets
import socket
import threading
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import setproctitle
from celery import Celery, bootsteps, signals
from celery.apps.worker import Worker
from celery.exceptions import SecurityWarning

from db.logs import set_up_logging
from db.process_limits import forbid_core_dumps
from db.publisher import TASK, TRANSPORT_OPTIONS, queue_name
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from worker.device import CPU, Device, choose_device, list_gpus
from worker.process import TEMPLATE_COMMAND, Template
from worker.supervisor import Supervisor
from worker.sweeper import Sweeper


def create_worker(
    settings: Settings, device: Device = CPU, template_command: Sequence[str] = TEMPLATE_COMMAND
) -> Celery:
    """The Celery application of a worker; nothing is connected until it is run.

    Args:
        device: what its experiments compute on.
        template_command: what the template of the processes of attempts is started with.
    """
    database = Database(settings.require_database_url(), pool_size=4)
    store = ArtifactStore.from_settings(settings)
    supervisor = Supervisor(
        settings=settings,
        database=database,
        store=store,
        worker=worker_name(),
        device=device,
        stopping=threading.Event(),
        template=Template(template_command),
    )
    app = Celery("sip", broker=settings.require_broker_url(), set_as_current=False)
    app.conf.update(
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a broker that is away comes back
        broker_transport_options=TRANSPORT_OPTIONS,
        task_create_missing_queues=True,
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
    sweeper = Sweeper(settings, database, store, worker_name(), device.label)
    app.steps["worker"].add(_companion_step(supervisor, sweeper))
    return app


@cache
def worker_name() -> str:
    """This process among all workers; containers may share both the host's name and the process's number."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"


def run_worker(settings: Settings, template_command: Sequence[str] = TEMPLATE_COMMAND) -> int:
    """Run a worker in this process until SIGTERM or SIGINT; returns the exit status.

    A running experiment is ended and goes back to the queue.
    """
    set_up_logging(settings, "worker", worker=worker_name())
    forbid_core_dumps()
    signals.setup_logging.connect(_keep_logging, weak=False)
    # Celery warns of root because of messages that are unpickled; ours are JSON and carry an id
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = _TitledWorker(
        app=create_worker(settings, _choose_device(settings), template_command),
        queues=[queue_name(queue) for queue in settings.queues],
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


def _keep_logging(**_: object) -> None:
    """What Celery calls instead of setting up logging of its own."""


def _choose_device(settings: Settings) -> Device:
    if settings.device == "cpu":
        return CPU
    database = Database(settings.require_database_url(), pool_size=1)
    try:
        return choose_device(
            settings.device, list_gpus(), database, worker_name(), settings.worker_seen_seconds
        )
    finally:
        database.close()


_TURN_SECONDS = 0.1
"""A free worker hears its next call at the next turn of the event loop, which by itself has one a second."""


class _TitledWorker(Worker):  # type: ignore[misc]  # Celery ships no types
    def set_process_status(self, info: str) -> None:
        setproctitle.setproctitle("sip worker")


def _companion_step(supervisor: Supervisor, sweeper: Sweeper) -> type[bootsteps.StartStopStep]:
    class Companions(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery ships no types
        """Starts the sweeper with the pool, and ends the running experiment before the pool waits for it."""

        requires = ("celery.worker.components:Hub", "celery.worker.components:Pool")

        def start(self, parent: Any) -> None:
            parent.hub.call_repeatedly(_TURN_SECONDS, lambda: None)
            sweeper.start()

        def stop(self, parent: Any) -> None:
            supervisor.stopping.set()
            sweeper.stop()

        terminate = stop

    return Companions
