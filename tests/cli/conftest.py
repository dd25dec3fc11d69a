"""The stand-in service on a real port, and the `sip` command spoken to as from a shell."""

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.client.server import running
from tests.client.stand_in import StandIn

Sip = Callable[..., Result]


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
def url(stand_in: StandIn) -> Iterator[str]:
    with running(stand_in.app()) as url:
        yield url


@pytest.fixture
def sip(url: str) -> Sip:
    """Run `sip` with these words, against the stand-in; `text` is its standard input."""

    def run(*words: str, text: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=text, env={"SIP_URL": url, "SIP_TOKEN": None})

    return run
