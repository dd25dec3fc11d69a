"""Backbones as clients see them."""

from typing import Literal

from pydantic import BaseModel, Field


class BackboneResource(BaseModel):
    """A language model that may be named as `backbone.id`, or a pattern of such names."""

    id: str = Field(description="What to name, or a pattern of Hugging Face ids where `kind` is `pattern`.")
    kind: Literal["bundled", "local", "pattern", "hub"] = Field(
        description="`bundled`: ships with the service; `local`: a configured folder; `pattern`: Hugging "
        "Face ids that match may be named; `hub`: one of these."
    )
    revision: str | None = Field(description="Commit, or hash of the weights; null where not yet known.")
    family: str | None = Field(description="Architecture, for example `bert`.")
    is_causal: bool | None = Field(description="Whether it reads left to right only.")
    num_layers: int | None = Field(description="Layers; `layers` may name 0 to this number.")
    hidden_size: int | None = Field(description="Length of its vectors.")
    max_tokens: int | None = Field(description="Tokens it can read at once.")
    poolings: list[str] | None = Field(description="Poolings it can do.")
