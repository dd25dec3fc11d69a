"""What a supervisor tells the process of an attempt, on its standard input: never in its arguments."""

from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from db.claims import Claim
from db.settings import Settings


class Assignment(BaseModel):
    """One line of JSON; the stream stays open after it, and its end says that the supervisor is gone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: Settings
    experiment_id: str
    kind: str
    token: UUID
    attempt: int
    scratch: Path
    """A folder of this attempt's own."""
    request_id: str | None
    """Of the HTTP request the experiment came with."""
    worker: str
    """The worker's name."""
    device: str
    """``cpu`` or ``cuda:<n>``."""

    @property
    def claim(self) -> Claim:
        """The attempt's right to the experiment."""
        return Claim(self.experiment_id, self.kind, self.token, self.attempt)
