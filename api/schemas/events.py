"""What the events of an experiment carry, beside metrics, lines of the log and progress."""

from typing import Self

from pydantic import BaseModel, Field

from api.schemas.experiments import ExperimentError, StatusName
from db.shown import shown_status
from db.tables import Experiment


class StatusChange(BaseModel):
    """Where an experiment stands."""

    status: StatusName = Field(description="succeeded, failed and cancelled are final.")
    attempt: int = Field(description="How often a worker took it up.")
    error: ExperimentError | None = Field(description="Why it failed; null unless something went wrong.")

    @classmethod
    def of(cls, row: Experiment) -> Self:
        """Of a row, with the status it shows."""
        return cls(status=shown_status(row).value, attempt=row.attempt, error=ExperimentError.of(row))
