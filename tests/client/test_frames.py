import math
from datetime import UTC, datetime

import pandas
import polars

from client import Client
from client.answers import Metric
from client.frames import COLUMNS, pandas_frame, polars_frame

WHEN = "2026-01-02T03:04:05.250000Z"
THEN = datetime(2026, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)


def a_row(name: str, value: float | None, step: int | None) -> Metric:
    return Metric(
        experiment="exp_0",
        name=name,
        value=value,
        step=step,
        split=None,
        layer=None,
        seed=0,
        backbone="minilm",
        dataset="ds_0",
        recorded_at=WHEN,
    )


ROWS = [a_row("train/loss", 0.5, 1), a_row("eval/auroc", None, None)]


def test_a_frame_of_pandas_has_numbers_nulls_and_times() -> None:
    frame = pandas_frame(ROWS)
    assert tuple(frame.columns) == COLUMNS
    assert frame["value"].isna().tolist() == [False, True]
    assert (frame["value"].mean(), frame["step"].sum()) == (0.5, 1)
    assert frame["recorded_at"].tolist() == [pandas.Timestamp(THEN)] * 2


def test_a_frame_of_polars_has_numbers_nulls_and_times() -> None:
    frame = polars_frame(ROWS)
    assert tuple(frame.columns) == COLUMNS
    assert frame["value"].to_list() == [0.5, None]
    assert (frame.schema["layer"], frame["recorded_at"].to_list()) == (polars.Int64, [THEN, THEN])


def test_no_rows_make_a_frame_with_the_same_columns() -> None:
    assert pandas_frame([]).dtypes.equals(pandas_frame(ROWS).dtypes)
    assert polars_frame([]).schema == polars_frame(ROWS).schema


def test_the_rows_of_an_experiment_come_as_a_frame(client: Client) -> None:
    experiment = client.experiments.create("train", "mine")
    client.wait(experiment["id"])
    by_pandas = client.metrics.to_pandas(experiment=experiment["id"], name="train/loss")
    by_polars = client.metrics.to_polars(experiment=experiment["id"], name="train/loss")
    assert by_pandas["value"].tolist() == by_polars["value"].to_list() == [2.0, 1.0, 0.5]
    assert math.isclose(by_polars["value"].mean(), 3.5 / 3)
