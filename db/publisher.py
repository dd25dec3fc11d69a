"""Wakes workers: a message at the broker carries an experiment's id and nothing else.

The experiment's row is the record and the outbox. A call that gets lost costs time, never the experiment:
the workers' sweeper looks for queued rows and calls again.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache

import kombu
from celery import Celery
from kombu.exceptions import ChannelError, OperationalError

from db import experiments
from db.errors import DatabaseUnavailableError
from db.session import Database

TASK = "sip.run_experiment"
QUEUE = "sip.experiments"
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

logger = logging.getLogger(__name__)


def publish(broker_url: str, experiment_id: str) -> bool:
    """Wake a worker for an experiment; False, with a line in the log, when the broker doesn't answer."""
    try:
        _sender(broker_url).send_task(
            TASK, args=[experiment_id], queue=QUEUE, retry=False, ignore_result=True
        )
    except OperationalError as error:
        logger.warning(
            "%s: the broker doesn't answer (%s); the sweeper will call again",
            experiment_id,
            type(error).__name__,
        )
        return False
    return True


def announce(database: Database, broker_url: str, experiment_ids: Sequence[str]) -> None:
    """Wake workers for committed experiments and note which calls went out. Never raises for a broker or
    database that is away: the rows are committed, and the sweeper finds them."""
    called = []
    for experiment_id in experiment_ids:
        if not publish(broker_url, experiment_id):
            break
        called.append(experiment_id)
    if not called:
        return
    try:
        with database.session() as session:
            experiments.mark_published(session, called)
    except DatabaseUnavailableError as error:
        logger.warning("%s: could not note the wake-up call: %s", ", ".join(called), error)


def waiting_calls(broker_url: str) -> int | None:
    """Wake-up calls no worker has taken yet; None when the broker doesn't answer."""
    try:
        with kombu.Connection(broker_url, transport_options=TRANSPORT_OPTIONS) as connection:
            queue = kombu.Queue(QUEUE, channel=connection.default_channel)
            return int(queue.queue_declare(passive=True).message_count)
    except ChannelError:
        return 0  # Redis forgets a list that is empty
    except OperationalError:
        return None


@lru_cache(maxsize=8)
def _sender(broker_url: str) -> Celery:
    sender = Celery("sip", broker=broker_url, set_as_current=False)
    sender.conf.update(
        broker_transport_options=TRANSPORT_OPTIONS,
        broker_connection_timeout=2.0,
        broker_pool_limit=4,
        task_create_missing_queues=True,
    )
    return sender
