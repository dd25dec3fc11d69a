"""Wakes workers: a message at the broker carries an experiment's id and nothing else.

The experiment's row is the record and the outbox. A call that gets lost costs time, never the experiment:
the workers' sweeper looks for queued rows and calls again.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache

import kombu
from celery import Celery
from kombu.exceptions import ChannelError, OperationalError

from db import experiments
from db.errors import DatabaseUnavailableError
from db.session import Database
from db.states import Queue

TASK = "sip.run_experiment"
TRANSPORT_OPTIONS: dict[str, object] = {
    "socket_connect_timeout": 2.0,
    "socket_timeout": 2.0,
    "socket_keepalive": True,
    "health_check_interval": 5,
    "max_retries": 1,
    "interval_start": 0.0,
    "interval_step": 0.0,
    "interval_max": 0.0,
}
_SENDER_SECONDS = 1.0
_SENDER_OPTIONS = {"socket_connect_timeout": _SENDER_SECONDS, "socket_timeout": _SENDER_SECONDS}
"""A request waits for its call to go out, and a call that doesn't is no loss."""
_SENDER_CONNECTIONS = 64
"""More than threads that send: none waits for another to find out that the broker is away."""

logger = logging.getLogger(__name__)


def queue_name(queue: Queue) -> str:
    """Name of a queue at the broker."""
    return f"sip.{queue}"


def publish(broker_url: str, experiment_id: str, queue: Queue) -> bool:
    """Wake a worker for an experiment; False, with a line in the log, when the broker is away or full."""
    try:
        _sender(broker_url).send_task(
            TASK, args=[experiment_id], queue=queue_name(queue), retry=False, ignore_result=True
        )
    except (OperationalError, ChannelError) as error:
        logger.warning(
            "%s: the broker doesn't take its call (%s); the sweeper will call again",
            experiment_id,
            type(error).__name__,
        )
        return False
    return True


def announce(database: Database, broker_url: str, calls: Mapping[str, Queue]) -> None:
    """Wake workers for committed experiments and note which calls went out. Never raises for a broker or
    database that is away: the rows are committed, and the sweeper finds them.

    Args:
        calls: id of an experiment → its queue.
    """
    called = []
    for experiment_id, queue in calls.items():
        if not publish(broker_url, experiment_id, queue):
            break
        called.append(experiment_id)
    if not called:
        return
    try:
        with database.session() as session:
            experiments.mark_published(session, called)
    except DatabaseUnavailableError as error:
        logger.warning("%s: could not note the wake-up call: %s", ", ".join(called), error)


def announce_relatives(database: Database, broker_url: str, experiment_id: str) -> None:
    """Wake workers for an experiment and for those that its end, or its plan, has queued. Never raises for a
    broker or database that is away: the sweeper finds them.
    """
    try:
        with database.session() as session:
            calls = experiments.uncalled_relatives(session, experiment_id)
    except DatabaseUnavailableError as error:
        logger.warning("%s: could not look for what it leaves queued: %s", experiment_id, error)
        return
    announce(database, broker_url, calls)


def waiting_calls(broker_url: str) -> dict[Queue, int] | None:
    """Wake-up calls in each queue that no worker has taken yet; None when the broker doesn't answer."""
    with kombu.Connection(broker_url, transport_options=TRANSPORT_OPTIONS) as connection:
        try:
            return {queue: _length(connection, queue) for queue in Queue}
        # the second: what the driver raises when it is cut off in the middle of an answer
        except (OperationalError, *connection.connection_errors):
            return None


def _length(connection: kombu.Connection, queue: Queue) -> int:
    try:
        bound = kombu.Queue(queue_name(queue), channel=connection.default_channel)
        return int(bound.queue_declare(passive=True).message_count)
    except ChannelError:
        return 0  # Redis forgets a list that is empty


@lru_cache(maxsize=8)
def _sender(broker_url: str) -> Celery:
    sender = Celery("sip", broker=broker_url, set_as_current=False)
    sender.conf.update(
        broker_transport_options=TRANSPORT_OPTIONS | _SENDER_OPTIONS,
        broker_connection_timeout=_SENDER_SECONDS,
        broker_pool_limit=_SENDER_CONNECTIONS,
        task_create_missing_queues=True,
    )
    return sender
