"""Kinds of experiments as clients see them."""

from pydantic import BaseModel, Field, JsonValue


class KindResource(BaseModel):
    """A kind of experiment, with what it takes."""

    kind: str = Field(description="Its name, as in `POST /experiments`.")
    description: str = Field(description="What it does.")
    needs_dataset: bool = Field(description="Whether `dataset` has to be given.")
    config_schema: dict[str, JsonValue] = Field(
        description="JSON Schema of `config`: every key with its meaning; none is required."
    )
    config_defaults: dict[str, JsonValue] = Field(
        description="`config` with every default written out, as it is resolved for `{}`."
    )


class Kinds(BaseModel):
    """Answer of `GET /kinds`."""

    data: list[KindResource] = Field(description="Every kind that `POST /experiments` takes.")
