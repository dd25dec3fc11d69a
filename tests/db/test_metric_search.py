"""Pages of rare and frequent series: whatever the filter, walking through them gives each row once."""

import pytest

from db import claims, experiments, metric_search, metrics
from db.experiments import NewExperiment
from db.metric_search import MetricPage
from db.metrics import MetricFilter, NewMetric
from db.session import Database
from db.tables import Dataset

NUM_EXPERIMENTS = 4
NUM_STEPS = 60


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows read at a time that a few hundred are many."""
    monkeypatch.setattr(metric_search, "_WINDOW_ROWS", 20)
    monkeypatch.setattr(metric_search, "_HEAD_ROWS", 12)


@pytest.fixture
def names(database: Database, dataset: Dataset) -> list[str]:
    """The name of each row, in order: experiments one after the other, their results at their end."""
    written = []
    for number in range(NUM_EXPERIMENTS):
        with database.session() as session:
            new = NewExperiment(kind="train", config={}, seed=number, dataset_id=dataset.id)
            experiment_id = experiments.add(session, new).id
        with database.session() as session:
            claim = claims.claim(session, experiment_id, "w", 60)
            assert claim is not None
            rows = [NewMetric(name="train/loss", value=step, step=step) for step in range(NUM_STEPS)]
            rows += [
                NewMetric(name="system/speed", value=step, step=step) for step in range(0, NUM_STEPS, 10)
            ]
            rows += [NewMetric(name=f"eval/{what}", value=0.5) for what in ("accuracy", "ece", "macro_f1")]
            if number == 0:
                rows.append(NewMetric(name="drift/psi", value=0.1))
            claims.record(session, claim, progress=None, new_metrics=rows, dataset=f"corpus-{number}")
        written += [row.name for row in rows]
    return written


def walk(database: Database, wanted: MetricFilter, limit: int) -> list[MetricPage]:
    """All pages, one after the other."""
    pages: list[MetricPage] = []
    since = 0
    while not pages or pages[-1].has_more:
        with database.session() as session:
            pages.append(metrics.poll(session, wanted, since=since, limit=limit))
        since = pages[-1].next_since
    return pages


@pytest.mark.parametrize("limit", [1, 5, 1000])
@pytest.mark.parametrize("name", ["train/loss", "system/speed", "eval/ece", "drift/psi", "none"])
def test_every_row_of_a_name_comes_once_and_in_order(
    database: Database, names: list[str], name: str, limit: int
) -> None:
    pages = walk(database, MetricFilter(names=(name,)), limit)
    ids = [row.id for page in pages for row in page.rows]
    assert ids == sorted(set(ids))
    assert len(ids) == names.count(name)
    assert all(page.rows for page in pages if page.has_more)
    assert all(len(page.rows) <= limit for page in pages)


def test_rows_of_several_names_come_in_the_order_they_were_written(
    database: Database, names: list[str]
) -> None:
    pages = walk(database, MetricFilter(names=("eval/*", "system/*")), 7)
    found = [row.name for page in pages for row in page.rows]
    assert found == [name for name in names if name.startswith(("eval/", "system/"))]


def test_rows_far_behind_the_cursor_are_found_at_once(database: Database, names: list[str]) -> None:
    (page,) = walk(database, MetricFilter(datasets=("corpus-3",)), 1000)
    assert len(page.rows) == len(names) - names.index("drift/psi") - 1 - 2 * (NUM_STEPS + 6 + 3)


def test_the_newest_rows_are_paged_too(database: Database, names: list[str]) -> None:
    found: list[tuple[str, str]] = []
    since, has_more = 0, True
    while has_more:
        with database.session() as session:
            page = metrics.latest(session, MetricFilter(names=("*/*",)), since=since, limit=4)
        found += [(row.experiment_id, row.name) for row in page.rows]
        since, has_more = page.next_since, page.has_more
    assert len(found) == len(set(found)) == NUM_EXPERIMENTS * 5 + 1
