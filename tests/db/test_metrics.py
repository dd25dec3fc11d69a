"""Metrics: each value once, each reader sees all of them."""

import threading
from concurrent.futures import ThreadPoolExecutor

from db import claims, experiments, metrics
from db.claims import Claim
from db.experiments import NewExperiment
from db.metrics import MetricFilter, NewMetric
from db.session import Database
from db.tables import Dataset, Experiment
from tests.db.test_claims import take


def write(database: Database, claim: Claim, *new: NewMetric) -> None:
    """Record metrics under a claim."""
    with database.session() as session:
        claims.record(session, claim, progress=None, new_metrics=new, dataset="letters")


def test_a_repeated_value_is_dropped_and_the_first_one_stays(
    database: Database, experiment: Experiment
) -> None:
    claim = take(database, experiment)
    write(
        database,
        claim,
        NewMetric(name="eval/accuracy", value=0.5),
        NewMetric(name="eval/accuracy", value=0.6),
    )
    write(database, claim, NewMetric(name="eval/accuracy", value=0.7))
    with database.session() as session:
        (row,) = metrics.poll(session, MetricFilter()).rows
    assert (row.value, row.seed, row.backbone, row.dataset) == (0.5, 3, "minilm", "letters")


def test_infinite_values_become_null(database: Database, experiment: Experiment) -> None:
    claim = take(database, experiment)
    write(database, claim, *(NewMetric(name=f"x/{v}", value=float(v)) for v in ("inf", "-inf", "nan")))
    with database.session() as session:
        assert [row.value for row in metrics.poll(session, MetricFilter()).rows] == [None] * 3


def test_filters_choose_rows(database: Database, experiment: Experiment) -> None:
    claim = take(database, experiment)
    write(
        database,
        claim,
        NewMetric(name="train/loss", value=1, step=1),
        NewMetric(name="train_loss", value=2, step=1),
        NewMetric(name="probe/linear/accuracy", value=3, layer=2, split="test", backbone="other"),
    )

    def values(wanted: MetricFilter) -> list[float | None]:
        with database.session() as session:
            return [row.value for row in metrics.poll(session, wanted).rows]

    assert values(MetricFilter(names=("train/*",))) == [1]
    assert values(MetricFilter(names=("train_*",))) == [2]
    assert values(MetricFilter(names=("*/accuracy", "train/loss"))) == [1, 3]
    assert values(MetricFilter(layers=(2,), splits=("test",), backbones=("other",))) == [3]
    assert values(MetricFilter(experiments=("exp_none",))) == []
    assert values(MetricFilter(seeds=(3,), datasets=("letters",))) == [1, 2, 3]
    assert values(MetricFilter(parents=(experiment.id,))) == []


def test_the_cursor_walks_through_all_rows(database: Database, experiment: Experiment) -> None:
    claim = take(database, experiment)
    write(database, claim, *(NewMetric(name="train/loss", value=step, step=step) for step in range(7)))
    seen: list[float | None] = []
    since = 0
    while True:
        with database.session() as session:
            page = metrics.poll(session, MetricFilter(), since=since, limit=3)
        seen += [row.value for row in page.rows]
        since = page.next_since
        if not page.has_more:
            break
    assert seen == list(range(7))
    with database.session() as session:
        assert metrics.poll(session, MetricFilter(), since=since) == ([], since, False)


def test_the_latest_of_each_series_is_found(database: Database, experiment: Experiment) -> None:
    claim = take(database, experiment)
    write(database, claim, *(NewMetric(name="train/loss", value=s, step=s) for s in range(3)))
    write(database, claim, NewMetric(name="eval/accuracy", value=0.9))
    with database.session() as session:
        assert [row.value for row in metrics.latest(session, MetricFilter())] == [2, 0.9]
        assert metrics.final_values(session, [experiment.id, "exp_none"]) == {
            experiment.id: {"eval/accuracy": 0.9, "train/loss": 2},
            "exp_none": {},
        }
        assert not metrics.all_final(session, [experiment.id])
        assert metrics.all_final(session, ["exp_none"])


def test_a_poller_misses_no_row_of_writers_that_commit_out_of_order(
    database: Database, dataset: Dataset, experiment: Experiment
) -> None:
    writers, batches = 4, 25
    with database.session() as session:
        more = [
            experiments.add(session, NewExperiment(kind="train", config={}, seed=1, dataset_id=dataset.id))
            for _ in range(writers)
        ]
    claimed = [take(database, row) for row in more]
    finished = threading.Event()
    seen: list[int] = []

    def poll() -> None:
        since = 0
        while True:
            last_round = finished.is_set()
            with database.session() as session:
                page = metrics.poll(session, MetricFilter(), since=since)
            seen.extend(row.id for row in page.rows)
            since = page.next_since
            if last_round and not page.rows:
                return

    def write_batches(claim: Claim) -> None:
        for batch in range(batches):
            write(
                database, claim, *(NewMetric(name=f"m{i}", value=1, step=batch) for i in range(batch % 3 + 1))
            )

    poller = threading.Thread(target=poll)
    poller.start()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write_batches, claimed))
    finished.set()
    poller.join()
    with database.session() as session:
        everything = [row.id for row in metrics.poll(session, MetricFilter(), limit=5000).rows]
    assert seen == everything
    assert len(seen) == len(set(seen)) == writers * sum(batch % 3 + 1 for batch in range(batches))
