"""Backbones as clients see them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, JsonValue


class BackboneResource(BaseModel):
    """A language model that may be named as `backbone.id`, or a pattern of such names."""

    id: str = Field(description="What to name, or a pattern of Hugging Face ids where `kind` is `pattern`.")
    kind: Literal["bundled", "local", "pattern", "hub", "own"] = Field(
        description="`bundled`: ships with the service; `local`: a configured folder; `pattern`: Hugging "
        "Face ids that match may be named; `hub`: one of these; `own`: trained here (`bb_…`, by kind "
        "`pretrain`)."
    )
    revision: str | None = Field(description="Commit, or hash of the weights; null where not yet known.")
    family: str | None = Field(description="Architecture, for example `bert`.")
    is_causal: bool | None = Field(description="Whether it reads left to right only.")
    num_layers: int | None = Field(description="Layers; `layers` may name 0 to this number.")
    hidden_size: int | None = Field(description="Length of its vectors.")
    max_tokens: int | None = Field(description="Tokens it can read at once.")
    poolings: list[str] | None = Field(description="Poolings it can do.")
    name: str | None = Field(
        default=None, description="Of an own one: its experiment's name, else its dataset's."
    )
    experiment: str | None = Field(
        default=None, description="Experiment that trained an own one; null once deleted."
    )
    dataset: str | None = Field(
        default=None, description="Dataset an own one was trained on; null once deleted."
    )
    num_bytes: int | None = Field(default=None, description="Size of an own one's files.")
    card: dict[str, JsonValue] | None = Field(
        default=None,
        description="What an own one was trained on and how: `seen` (datasets with their split), `from`, "
        "parameters, tokens, metrics, versions.",
    )
    created_at: datetime | None = Field(default=None, description="When an own one was made, RFC 3339, UTC.")
