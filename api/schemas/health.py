"""The service's health."""

from typing import Literal

from pydantic import BaseModel, Field

State = Literal["ok", "degraded", "down"]


class Live(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(default="ok", description="Always `ok`.")
    version: str = Field(description="Version of the service.")


class Check(BaseModel):
    """One part of the service."""

    status: State = Field(description="`ok`, `degraded` (works with limits) or `down`.")
    detail: str = Field(description="What was found.")


class Ready(BaseModel):
    """Whether the service can do its work."""

    status: State = Field(description="`ok`; `degraded`: it serves with limits; `down`: answered with 503.")
    checks: dict[str, Check] = Field(
        description="database, broker, workers, default_model, artifacts and disk."
    )
