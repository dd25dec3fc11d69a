"""Curves of metrics as clients see them."""

from pydantic import BaseModel, Field


class CurveResource(BaseModel):
    """One series of values by step, thinned."""

    experiment: str = Field(description="Id of the experiment that measured it.")
    name: str = Field(description="What was measured, for example `train/loss`.")
    split: str | None = Field(description="Part it was measured on.")
    layer: int | None = Field(description="Layer of the backbone, for values by layer.")
    seed: int | None = Field(description="Seed of the experiment.")
    backbone: str | None = Field(description="Backbone id.")
    dataset: str | None = Field(description="Name of the dataset.")
    count: int = Field(description="Values there are; the lists below may hold fewer.")
    steps: list[int] = Field(description="Training steps, ascending.")
    values: list[float | None] = Field(description="The value at each step; null: not a finite number.")


class CurvesResponse(BaseModel):
    """Answer of `GET /metrics/curves`."""

    data: list[CurveResource] = Field(description="Curves in the order they began, 500 at most.")
    next_since: int = Field(description="`since` for `GET /metrics`, to go on with what comes next.")
