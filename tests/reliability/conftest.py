"""What the promises are tested with: the workers, experiments and gates of the worker's own tests.

`tests/worker/conftest.py` describes them; `tests/worker/jobs.py` holds the kinds of jobs.
"""

import pytest

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

_LONG = ("test_suite_read_once", "test_promise_05_resume")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that of several processes none is left alone with it."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in _LONG))
