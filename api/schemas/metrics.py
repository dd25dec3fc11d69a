"""Metrics as clients see them."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from db.tables import Metric


class MetricResource(BaseModel):
    """One measured value."""

    experiment: str = Field(description="Id of the experiment that measured it.")
    name: str = Field(description="What was measured, for example `eval/accuracy`.")
    value: float | None = Field(description="The value; null where it was not a finite number.")
    step: int | None = Field(description="Training step; null for a final value.")
    split: str | None = Field(description="Part it was measured on: train, validation, calibration or test.")
    layer: int | None = Field(description="Layer of the backbone (0: embeddings), for values by layer.")
    seed: int | None = Field(description="Seed of the experiment.")
    backbone: str | None = Field(description="Backbone id.")
    dataset: str | None = Field(description="Name of the dataset.")
    recorded_at: datetime = Field(description="When it was recorded, RFC 3339, UTC.")

    @classmethod
    def of(cls, row: Metric) -> Self:
        """The resource of a row."""
        return cls(
            experiment=row.experiment_id,
            name=row.name,
            value=row.value,
            step=row.step,
            split=row.split,
            layer=row.layer,
            seed=row.seed,
            backbone=row.backbone,
            dataset=row.dataset,
            recorded_at=row.recorded_at,
        )


class MetricsPage(BaseModel):
    """What is new since a cursor."""

    data: list[MetricResource] = Field(description="Values in the order they became visible.")
    next_since: int = Field(description="`since` of the next poll; no value committed late is ever skipped.")
    has_more: bool = Field(description="Whether more values wait right now.")
