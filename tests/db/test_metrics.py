"""Metrics: each value once, and the rows that a filter chooses."""

from db import claims, metrics
from db.claims import Claim
from db.metrics import MetricFilter, NewMetric
from db.session import Database
from db.tables import Experiment
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
        assert [row.value for row in metrics.latest(session, MetricFilter()).rows] == [2, 0.9]
        assert metrics.final_values(session, [experiment.id, "exp_none"]) == {
            experiment.id: {"eval/accuracy": 0.9, "train/loss": 2},
            "exp_none": {},
        }
        assert not metrics.all_final(session, [experiment.id])
        assert metrics.all_final(session, ["exp_none"])


def test_a_value_of_another_backbone_is_another_value(database: Database, experiment: Experiment) -> None:
    claim = take(database, experiment)
    write(database, claim, *(NewMetric(name="x", value=1, step=1, backbone=b) for b in ("one", "two", "one")))
    with database.session() as session:
        assert [row.backbone for row in metrics.poll(session, MetricFilter()).rows] == ["one", "two"]


def test_metrics_of_one_experiment_are_deleted_some_at_a_time(
    database: Database, experiment: Experiment
) -> None:
    claim = take(database, experiment)
    write(database, claim, *(NewMetric(name="train/loss", value=step, step=step) for step in range(5)))
    left = []
    for _ in range(3):
        with database.session() as session:
            assert not metrics.delete_some(session, ["exp_another"])
            assert metrics.delete_some(session, [experiment.id], limit=2)
        with database.session() as session:
            left.append(len(metrics.poll(session, MetricFilter()).rows))
    assert left == [3, 1, 0]
    with database.session() as session:
        assert not metrics.delete_some(session, [experiment.id])
