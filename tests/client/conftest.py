"""The stand-in service on a real port, and a client of it."""

from collections.abc import Iterator

import pytest

from client import Client
from tests.client.server import running
from tests.client.stand_in import StandIn


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
def url(stand_in: StandIn) -> Iterator[str]:
    with running(stand_in.app()) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url, token="sip_secret", timeout_seconds=10) as client:
        yield client
