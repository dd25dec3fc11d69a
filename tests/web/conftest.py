"""One service and one browser for the tests of the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.cli.service import RunningService, running_service
from tests.web.browser import Visit, find_chromium

CHROMIUM = find_chromium()
MISSING = "the tests of the pages need a browser: apt-get install chromium"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser its tests are skipped, and the reason says what to install."""
    if CHROMIUM is None:
        here = Path(__file__).parent
        for item in items:
            if item.path.is_relative_to(here) and "visit" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=MISSING))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # no sandbox: as root, and in containers, Chromium has none
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("pages") / "data") as service:
        yield service


@pytest.fixture
def visit(browser: Browser, service: RunningService) -> Iterator[Visit]:
    """A person at the pages; nothing may have gone wrong when they leave."""
    visit = Visit.begin(browser, service.url)
    yield visit
    visit.context.close()
    assert visit.troubles == []
