"""Progress and metrics reach the row in the background, under the claim."""

from pathlib import Path

import pytest

from db import claims, experiments, metrics
from db.claims import Claim
from db.errors import StaleClaimError
from db.metrics import MetricFilter, NewMetric
from db.session import Database
from tests.worker.conftest import Read, Submit, wait_until
from tests.worker.test_mirror import read as read_events
from worker.mirror import TensorBoardMirror
from worker.reporter import Reporter


@pytest.fixture
def claim(database: Database, submit: Submit) -> Claim:
    """A claimed experiment."""
    experiment_id = submit("complete")
    with database.session() as session:
        claim = claims.claim(session, experiment_id, "w", 60)
    assert claim is not None
    return claim


def test_what_is_handed_over_is_written_without_being_asked(
    database: Database, claim: Claim, read: Read
) -> None:
    reporter = Reporter(database, claim, "lines", patience_seconds=5)
    reporter.start()
    reporter.progress("features", 0, 10, "texts")
    reporter.progress("features", 5, 10, "texts")
    wait_until(lambda: read(claim.experiment_id).done == 5, "the progress is written")
    assert (read(claim.experiment_id).eta_seconds or 0) > 0
    reporter.close()


def test_closing_writes_everything_left(database: Database, claim: Claim) -> None:
    reporter = Reporter(database, claim, "lines", patience_seconds=5)
    reporter.start()
    for step in range(2500):
        reporter.metric(NewMetric(name="train/loss", value=0.0, step=step))
    reporter.close()
    with database.session() as session:
        rows = metrics.poll(session, MetricFilter(), limit=5000).rows
    assert [row.step for row in rows] == list(range(2500))


def test_a_lost_claim_is_raised_where_the_work_goes_on(database: Database, claim: Claim) -> None:
    reporter = Reporter(database, claim, "lines", patience_seconds=5)
    reporter.start()
    with database.session() as session:
        experiments.request_cancel(session, claim.experiment_id)

    def report() -> bool:
        reporter.progress("train", 1, 2, "epochs")
        return False

    with pytest.raises(StaleClaimError):
        wait_until(report, "the claim is noticed to be lost")
    with pytest.raises(StaleClaimError):
        reporter.close()


def test_a_database_that_stays_away_is_a_lost_claim(claim: Claim) -> None:
    nowhere = Database("postgresql+psycopg://sip@127.0.0.1:1/sip")
    reporter = Reporter(nowhere, claim, "lines", patience_seconds=0.1)
    reporter.start()
    reporter.metric(NewMetric(name="train/loss", value=0.0))
    with pytest.raises(StaleClaimError):
        reporter.close()
    nowhere.close()


def test_flushing_writes_everything_and_the_work_goes_on(database: Database, claim: Claim) -> None:
    reporter = Reporter(database, claim, "lines", patience_seconds=5)
    reporter.start()
    for step in range(1500):
        reporter.metric(NewMetric(name="train/loss", value=0.0, step=step))
    reporter.flush()
    with database.session() as session:
        assert len(metrics.poll(session, MetricFilter(), limit=5000).rows) == 1500
    reporter.metric(NewMetric(name="train/loss", value=0.0, step=1500))
    reporter.close()
    with database.session() as session:
        assert len(metrics.poll(session, MetricFilter(), limit=5000).rows) == 1501


def test_metrics_are_mirrored_too(database: Database, claim: Claim, tmp_path: Path) -> None:
    mirror = TensorBoardMirror(tmp_path, claim.experiment_id)
    reporter = Reporter(database, claim, "lines", 5, mirror)
    reporter.start()
    reporter.metric(NewMetric(name="train/loss", value=0.5, step=3))
    reporter.close()
    assert read_events(tmp_path / claim.experiment_id) == {"train/loss": [(3, 0.5)]}
