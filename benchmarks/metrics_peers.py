"""What the pages and the writing of metrics are measured against: the plain ways to do it."""

import statistics
import time

from sqlalchemy import text

from db import experiments
from db.experiments import NewExperiment
from db.locks import Lock, hold
from db.session import Database
from db.tables import MetricSeries

_BATCHES = 20
_BATCH_ROWS = 1000
_PAGES = 5


def page_by_offset(database: Database, offset: int) -> float:
    """Milliseconds (median) of a page of 1000 rows that are reached with OFFSET."""
    statement = text(
        "SELECT * FROM metrics JOIN metric_series ON metric_series.id = series_id "
        "ORDER BY metrics.id OFFSET :offset LIMIT 1000"
    )
    milliseconds = []
    for _ in range(_PAGES):
        started = time.perf_counter()
        with database.session() as session:
            session.execute(statement, {"offset": offset}).all()
        milliseconds.append((time.perf_counter() - started) * 1000)
    return statistics.median(milliseconds)


def insert_one_by_one(database: Database) -> float:
    """Rows per second with one INSERT for each row (`executemany`), in batches under the same lock."""
    with database.session() as session:
        experiment = experiments.add(session, NewExperiment(kind="train", config={}, seed=0, dataset_id=None))
        series = MetricSeries(experiment_id=experiment.id, name="peer")
        session.add(series)
        session.flush()
        series_id, experiment_id = series.id, experiment.id
    statement = text("INSERT INTO metrics (series_id, step, value) VALUES (:series, :step, :value)")
    started = time.monotonic()
    for batch in range(_BATCHES):
        with database.session() as session:
            hold(session, Lock.METRICS)
            steps = range(batch * _BATCH_ROWS, (batch + 1) * _BATCH_ROWS)
            rows = [{"series": series_id, "step": step, "value": 1.0} for step in steps]
            session.execute(statement, rows)
    rate = _BATCHES * _BATCH_ROWS / (time.monotonic() - started)
    with database.session() as session:
        session.execute(text("DELETE FROM experiments WHERE id = :id"), {"id": experiment_id})
    return rate
