"""Experiments, their progress, logs and files."""

from typing import Any, Literal, NotRequired, TypedDict

Status = Literal["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]
FINAL: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})
"""States an experiment leaves only when it is tried again."""


class Progress(TypedDict):
    """Where a running experiment stands."""

    phase: str | None
    done: int | None
    total: int | None
    unit: str | None
    eta_seconds: float | None


class Failure(TypedDict):
    """Why an experiment failed."""

    type: str
    message: str


class Artifact(TypedDict):
    """A file an experiment left behind."""

    name: str
    media_type: str
    bytes: int
    sha256: str
    url: str


class Experiment(TypedDict):
    """An experiment, with every default of its config written out."""

    id: str
    kind: str
    name: str | None
    status: Status
    dataset: str | None
    model: str | None
    backbone: str | None
    config: dict[str, Any]
    seed: int
    progress: Progress
    metrics: dict[str, float | None]
    error: Failure | None
    attempt: int
    resumed_from_step: NotRequired[int | None]
    parent: NotRequired[str | None]
    children: NotRequired[dict[str, int] | None]
    artifacts: list[Artifact]
    created_at: str
    started_at: str | None
    finished_at: str | None


class LogLine(TypedDict):
    """A line of an experiment's log."""

    id: int
    recorded_at: str
    attempt: int
    """0: before the first."""
    level: Literal["info", "warning", "error"]
    message: str


class LogPage(TypedDict):
    """Lines of a log after a cursor, and the cursor to go on from."""

    data: list[LogLine]
    next_since: int
    has_more: bool
