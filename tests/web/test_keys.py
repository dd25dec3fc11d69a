"""A service that asks for keys: the page asks for one and keeps it in this tab alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api.app import create_app
from db import keys
from db.key_secret import key_secret
from db.keys import Scope
from db.session import Database
from db.settings import Settings
from tests.client.server import running
from tests.web.browser import Visit


@pytest.fixture
def visit(browser: Browser, settings: Settings, database: Database) -> Iterator[Visit]:
    asking = settings.model_copy(update={"require_keys": True})
    with running(create_app(asking)) as url:
        visit = Visit.begin(browser, url)
        yield visit
        visit.context.close()
        assert visit.troubles == []


def test_a_key_is_asked_for_and_kept_until_the_tab_is_closed(
    visit: Visit, settings: Settings, database: Database, tmp_path: Path
) -> None:
    with database.session() as session:
        secret = keys.create(session, key_secret(settings), "reader", [Scope.READ]).secret
    page = visit.page
    page.goto(f"{visit.url}/#/corpora")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    visit.photograph("key")
    dialog.get_by_label("API key").fill("sip_" + "A" * 43)
    dialog.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("dialog")).to_contain_text("unknown, revoked or expired")
    page.get_by_role("dialog").get_by_label("API key").fill(secret)
    page.get_by_role("dialog").get_by_role("button", name="Use this key").click()
    expect(page.get_by_text("There is no corpus yet.")).to_be_visible()
    stored = page.evaluate("[JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]")
    assert [secret in each for each in stored] == [False, True, False]
