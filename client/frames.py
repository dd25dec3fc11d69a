"""Metric rows as frames of pandas or polars, whichever is installed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from client.answers import Metric

if TYPE_CHECKING:
    import pandas
    import polars

COLUMNS = tuple(Metric.__annotations__)
NUMBERS = {"value": "Float64", "step": "Int64", "layer": "Int64", "seed": "Int64"}
"""Columns that may be null throughout and are numbers all the same."""


def pandas_frame(rows: Sequence[Metric]) -> "pandas.DataFrame":
    """One row per value and one column per field, `recorded_at` as times in UTC.

    Raises:
        ImportError: pandas isn't installed.
    """
    import pandas

    frame = pandas.DataFrame.from_records([dict(row) for row in rows], columns=list(COLUMNS))
    frame = frame.astype(NUMBERS)
    frame["recorded_at"] = pandas.to_datetime(frame["recorded_at"], utc=True, format="ISO8601")
    return frame


def polars_frame(rows: Sequence[Metric]) -> "polars.DataFrame":
    """One row per value and one column per field, `recorded_at` as times in UTC.

    Raises:
        ImportError: polars isn't installed.
    """
    import polars

    types = {"Float64": polars.Float64, "Int64": polars.Int64}
    schema = {name: types[NUMBERS[name]] if name in NUMBERS else polars.String for name in COLUMNS}
    frame = polars.DataFrame([dict(row) for row in rows], schema=schema)
    times = polars.col("recorded_at").str.to_datetime(time_unit="us", time_zone="UTC")
    return frame.with_columns(times)
