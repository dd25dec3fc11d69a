"""Metric rows as frames of pandas or polars, whichever is installed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

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

    frame = pandas.DataFrame.from_records([_record(row) for row in rows], columns=list(COLUMNS))
    times = pandas.to_datetime(frame.pop("recorded_at"), utc=True).dt.as_unit("us")
    types = {name: NUMBERS.get(name, "string") for name in frame.columns}
    return frame.astype(types).assign(recorded_at=times)


def polars_frame(rows: Sequence[Metric]) -> "polars.DataFrame":
    """One row per value and one column per field, `recorded_at` as times in UTC.

    Raises:
        ImportError: polars isn't installed.
    """
    import polars

    schema = dict.fromkeys(COLUMNS, polars.String)
    schema |= {name: getattr(polars, kind) for name, kind in NUMBERS.items()}
    schema["recorded_at"] = polars.Datetime("us", "UTC")
    return polars.DataFrame([_record(row) for row in rows], schema=schema)


def _record(row: Metric) -> dict[str, Any]:
    return {**row, "recorded_at": datetime.fromisoformat(row["recorded_at"])}
