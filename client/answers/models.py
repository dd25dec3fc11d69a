"""Models and backbones."""

from typing import Literal, TypedDict


class Model(TypedDict):
    """A trained source identifier."""

    id: str
    name: str
    version: int
    num_sources: int
    num_bytes: int
    sha256: str
    is_default: bool
    experiment: str | None
    dataset: str | None
    created_at: str


class ModelName(TypedDict):
    """The model that answered."""

    id: str
    name: str
    version: int


class Backbone(TypedDict):
    """A language model that may be named as `backbone.id`, or a pattern of such names."""

    id: str
    kind: Literal["bundled", "local", "pattern", "hub"]
    revision: str | None
    family: str | None
    is_causal: bool | None
    num_layers: int | None
    hidden_size: int | None
    max_tokens: int | None
    poolings: list[str] | None
