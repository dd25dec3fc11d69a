from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.hub import HubServer, running_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """A hub without any repository."""
    with running_hub(tmp_path / "hub") as server:
        yield server
