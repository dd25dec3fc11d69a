"""Experiments as clients see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.schemas.fields import Name, Reference, Seed, StrictRequest
from db.shown import shown_status
from db.tables import Artifact, Experiment
from sip_model.experiments.kinds import KINDS

_KIND_NAMES = ", ".join(f"`{kind}`" for kind in KINDS)

StatusName = Literal["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]


class NewExperiment(StrictRequest):
    """`POST /experiments`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "train",
                    "name": "docs",
                    "dataset": "python-docs",
                    "config": {"chunk": {"num_words": 32}, "identifier": {"features": "hybrid"}},
                    "seed": 0,
                }
            ]
        }
    )

    kind: Reference = Field(description=f"What to do: {_KIND_NAMES}.", examples=["train"])
    name: Name | None = Field(
        default=None,
        description="A name of your own; a model trained under it is called so.",
        examples=["docs"],
    )
    dataset: Reference | None = Field(
        default=None,
        description="Id or name of the dataset; every kind needs one but `suite`, whose config may name "
        "several.",
        examples=["python-docs"],
    )
    config: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Configuration of the kind (`train`: TrainConfig, …); every key is optional, unknown "
        "ones are refused.",
        examples=[{"chunk": {"num_words": 32}, "identifier": {"features": "hybrid"}}],
    )
    seed: Seed = Field(default=0, description="Rotates the split's blocks and starts every random choice.")


class Progress(BaseModel):
    """How far a running experiment is."""

    phase: str | None = Field(description="What it is doing; null before it starts.")
    done: int | None = Field(description="Units done in this phase.")
    total: int | None = Field(description="Units of this phase; 0: not known.")
    unit: str | None = Field(description="What is counted.")
    eta_seconds: float | None = Field(description="Seconds left in this phase, estimated.")


class ExperimentError(BaseModel):
    """Why an experiment failed."""

    type: str = Field(description="Kind of error.")
    message: str = Field(description="What happened and what to do.")

    @classmethod
    def of(cls, row: Experiment) -> Self | None:
        """Why the experiment of a row failed; None where nothing went wrong."""
        return None if row.error_type is None else cls(type=row.error_type, message=row.error_message or "")


class ArtifactResource(BaseModel):
    """A file an experiment left behind."""

    name: str = Field(description="File name.")
    media_type: str = Field(description="Media type.")
    bytes: int = Field(description="Size.")
    sha256: str = Field(description="SHA-256 of the file.")
    url: str = Field(description="Path to fetch it from.")


class ExperimentResource(BaseModel):
    """An experiment: what was asked, where it stands, what it found."""

    id: str = Field(description="`exp_…`, ordered by time of creation.")
    kind: str = Field(description=f"{_KIND_NAMES}.")
    name: str | None = Field(description="Name given by the caller.")
    status: StatusName = Field(description="succeeded, failed and cancelled are final.")
    dataset: str | None = Field(description="Dataset id; null once the dataset is deleted.")
    model: str | None = Field(description="Id of the model it made (train) or uses (the others).")
    backbone: str | None = Field(description="Backbone id, where one is read.")
    config: dict[str, JsonValue] = Field(description="The resolved configuration, every default written out.")
    seed: int = Field(description="Seed of the split and of every random choice.")
    progress: Progress = Field(description="How far it is.")
    metrics: dict[str, float | None] = Field(
        description="Final value by metric name; null: not a finite number."
    )
    error: ExperimentError | None = Field(description="Why it failed; null unless something went wrong.")
    attempt: int = Field(description="How often a worker took it up.")
    resumed_from_step: int | None = Field(description="Training step the last attempt took up from.")
    parent: str | None = Field(description="Experiment this one belongs to.")
    children: dict[str, int] | None = Field(
        description="Number of child experiments by status; null: has none."
    )
    artifacts: list[ArtifactResource] = Field(description="Files it left behind.")
    created_at: datetime = Field(description="When it was accepted, RFC 3339, UTC.")
    started_at: datetime | None = Field(description="When a worker first took it up.")
    finished_at: datetime | None = Field(description="When it reached its final status.")

    @classmethod
    def of(
        cls,
        row: Experiment,
        metrics: Mapping[str, float | None],
        artifacts: Sequence[Artifact],
        children: Mapping[str, int] | None,
    ) -> Self:
        """The resource of a row with its final metrics, its files and its children by status."""
        return cls(
            id=row.id,
            kind=row.kind,
            name=row.name,
            status=shown_status(row).value,
            dataset=row.dataset_id,
            model=row.model_id,
            backbone=row.backbone_id,
            config=row.config,
            seed=row.seed,
            progress=Progress.model_validate(row, from_attributes=True),
            metrics=dict(metrics),
            error=ExperimentError.of(row),
            attempt=row.attempt,
            resumed_from_step=row.resumed_from_step,
            parent=row.parent_id,
            children=None if children is None else dict(children),
            artifacts=[_artifact(artifact) for artifact in artifacts],
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )


class PredictedSource(BaseModel):
    """One source of a predicted distribution."""

    source: str = Field(description="Name of the source.")
    probability: float = Field(description="Calibrated probability.")


class ClassifiedChunk(BaseModel):
    """One row of a bulk classification."""

    document: str = Field(description="Id of the document.")
    start: int = Field(description="Where the chunk starts in its document, in code points.")
    end: int = Field(description="Where it ends.")
    predicted: list[PredictedSource] = Field(description="The most probable sources, best first.")
    unknown: float = Field(description="Probability that no known source is right.")


def _artifact(row: Artifact) -> ArtifactResource:
    url = f"/experiments/{row.experiment_id}/artifacts/{row.name}"
    return ArtifactResource(
        name=row.name, media_type=row.media_type, bytes=row.bytes, sha256=row.sha256, url=url
    )
