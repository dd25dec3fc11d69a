"""The benchmarks of metrics: what they write, which plans they accept, and what they complain of."""

from typing import Any

import pytest

from benchmarks import metrics_pollers, metrics_scale
from benchmarks.metrics_cases import cases
from benchmarks.metrics_peers import insert_one_by_one
from benchmarks.metrics_plans import plan_of
from benchmarks.metrics_pollers import Seen, summary_of
from benchmarks.metrics_rows import Writer
from db import metrics
from db.metrics import MetricFilter
from db.session import Database


def test_rows_are_written_under_claims_and_a_plan_that_reads_them_all_is_noticed(database: Database) -> None:
    writer = Writer(database, rows_per_experiment=200)
    assert writer.write(3) == 600
    with database.session() as session:
        rows = metrics.poll(session, MetricFilter(), limit=5000).rows
    assert len(rows) == 600
    assert {row.experiment_id for row in rows} == set(writer.experiments)
    plans = {
        case.name: plan_of(database, case) for case in cases(writer.experiments, writer.parents, rows[-1].id)
    }
    assert plans["everything, from the start"].reads_whole_table  # it is that small
    assert not plans["latest of an experiment"].reads_whole_table
    assert insert_one_by_one(database) > 0
    with database.session() as session:
        assert len(metrics.poll(session, MetricFilter(), limit=5000).rows) == 600


def test_what_misses_its_bound_is_named() -> None:
    fine = {"name": "a", "p95_ms": 10.0, "reads_whole_table": False}
    results: dict[str, Any] = {"written": {"rows_per_second": 20_000.0}, "requests": [fine]}
    assert list(metrics_scale.problems_of(results)) == []
    results["written"]["rows_per_second"] = 9_000.0
    results["requests"] += [{**fine, "p95_ms": 60.0}, {**fine, "reads_whole_table": True}]
    assert len(list(metrics_scale.problems_of(results))) == 3


def test_rows_missed_and_repeated_are_counted_for_each_client() -> None:
    recorded = "2026-01-01T00:00:00Z"
    begun = 1767225600.0
    complete, other = Seen(), Seen()
    rows = [{"step": step, "value": begun - 1, "recorded_at": recorded} for step in range(3)]
    complete.add(rows, begun + 1)
    other.add([rows[0], rows[0]], begun + 1)
    results = summary_of([complete, other], 3)
    assert (results["missed"], results["repeated"]) == (2, 1)
    assert results["handed_over_to_received_seconds"]["p50"] == pytest.approx(2)
    assert results["recorded_to_received_seconds"]["max"] == pytest.approx(1)
    assert len(list(metrics_pollers.problems_of(results))) == 3
