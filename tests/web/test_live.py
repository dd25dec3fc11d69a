"""An experiment is watched while a worker, here the test, says how far it is: nothing has to be reloaded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api.app import create_app
from client import Client
from db import claims
from db.claims import Failure, Progress
from db.metrics import NewMetric
from db.session import Database
from db.settings import Settings
from tests.api.conftest import CORPUS
from tests.client.server import running
from tests.web.browser import Visit

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def visit(browser: Browser, settings: Settings) -> Iterator[Visit]:
    with running(create_app(settings)) as url:
        visit = Visit.begin(browser, url)
        yield visit
        visit.context.close()
        assert visit.troubles == []


@pytest.fixture
def experiment(visit: Visit, tmp_path: Path) -> str:
    corpus = tmp_path / "tales.jsonl"
    corpus.write_bytes(CORPUS)
    with Client(visit.url) as client:
        client.datasets.upload(corpus, "tales")
        return client.experiments.create("train", "tales", name="watched")["id"]


def test_progress_curves_and_the_log_grow_while_somebody_looks(
    visit: Visit, database: Database, experiment: str
) -> None:
    page = visit.open(f"#/experiments/{experiment}")
    log = page.get_by_role("list", name="What happened").locator("li")
    expect(log).to_have_count(1)
    with database.session() as session:
        claim = claims.claim(session, experiment, "one", 600)
        assert claim is not None
        claims.warn(session, claim, "1 of 3 sources is left out")
        progress = Progress(phase="training", done=1, total=4, unit="epochs", eta_seconds=90.0)
        values = [NewMetric(name="train/loss", value=2.0 - step / 8, step=step) for step in range(8)]
        claims.record(session, claim, progress=progress, new_metrics=values, dataset="tales")
    expect(page.locator(".badge").first).to_have_text("running")
    expect(page.get_by_text("training 1 of 4 epochs, 1 min 30 s left")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Progress of training")).to_have_attribute("value", "1")
    page.locator(".js-plotly-plot .scatterlayer path.js-line").first.wait_for(state="attached")
    expect(log.nth(2)).to_contain_text("Warning: 1 of 3 sources is left out")
    expect(log.nth(3)).to_contain_text("begins: training, 4 epochs")
    visit.photograph("running")

    with database.session() as session:
        claims.crash(session, claim, Failure("ProcessDied", "nobody knows how"), max_attempts=3)
    with database.session() as session:
        again = claims.claim(session, experiment, "another", 600)
        assert again is not None
        claims.fail(session, again, Failure("Broken", "it broke"))
    expect(page.locator(".badge").first).to_have_text("failed")
    expect(log.filter(has_text="Warning: attempt 1 ends: ProcessDied: nobody knows how")).to_have_count(1)
    expect(log.last).to_contain_text("Error: failed")
    expect(page.locator(".note.problem")).to_have_text("Broken: it broke")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    visit.photograph("failed")
