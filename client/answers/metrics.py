"""Measured values."""

from typing import TypedDict


class Metric(TypedDict):
    """One measured value; null where it was not a finite number."""

    experiment: str
    name: str
    value: float | None
    step: int | None
    split: str | None
    layer: int | None
    seed: int | None
    backbone: str | None
    dataset: str | None
    recorded_at: str


class MetricPage(TypedDict):
    """Metric rows after a cursor, and the cursor to go on from."""

    data: list[Metric]
    next_since: int | str
    has_more: bool
