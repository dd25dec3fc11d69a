"""What the promises are tested with: the workers, experiments and gates of the worker's own tests.

`tests/worker/conftest.py` describes them; `tests/worker/jobs.py` holds the kinds of jobs.
"""

from tests.reliability.proxied import broker_proxy, client, database_proxy, proxied, start_proxied
from tests.worker.conftest import dataset, gates, read, settings, start_worker, submit

__all__ = [
    "broker_proxy",
    "client",
    "database_proxy",
    "dataset",
    "gates",
    "proxied",
    "read",
    "settings",
    "start_proxied",
    "start_worker",
    "submit",
]
