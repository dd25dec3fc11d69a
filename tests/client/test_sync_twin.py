from pathlib import Path

import pytest

from tests.client.sync_twin import CLIENT, sources, twin


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.name)
def test_the_client_for_plain_code_is_made_from_the_one_for_asyncio(source: Path) -> None:
    assert (CLIENT / source.name).read_text(encoding="utf-8") == twin(source), "`make client` makes it anew"
