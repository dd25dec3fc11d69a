"""An experiment's log as clients see it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LogEntry(BaseModel):
    """A line of an experiment's log."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(description="Grows from line to line.")
    recorded_at: datetime = Field(description="When it happened, RFC 3339, UTC.")
    attempt: int = Field(description="The attempt it belongs to; 0: before the first.")
    level: Literal["info", "warning", "error"] = Field(
        description="`warning`: it goes on, but not as it was meant to."
    )
    message: str = Field(description="What happened.")


class LogResponse(BaseModel):
    """Lines in their order."""

    data: list[LogEntry] = Field(description="The lines, oldest first.")
    next_since: int = Field(description="`since` of the request that goes on from here.")
    has_more: bool = Field(description="Whether more lines are there already.")
