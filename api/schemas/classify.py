"""`POST /classify`."""

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import Reference, StrictRequest, Texts


class ClassifyRequest(StrictRequest):
    """Texts whose sources are asked for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"input": ["Compute the one-dimensional discrete Fourier Transform."], "top_k": 3}]
        }
    )

    input: Texts = Field(
        description="A text, or up to 1024 of them. What is longer than the model reads is cut, and said so.",
        examples=["Compute the one-dimensional discrete Fourier Transform for real input."],
    )
    model: Reference = Field(default="default", description="Id, name, `name@version` or `default`.")
    top_k: int = Field(
        default=5, ge=1, le=1000, description="Sources listed per text; the rest is in `other`."
    )
    unknown_prior: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="How often texts come from no known source; the model's own unless given (0.05).",
    )
    min_probability: float = Field(
        default=0.0, ge=0, le=1, description="Sources below it are not listed; they are in `other`."
    )


class ModelName(BaseModel):
    """A model by id, name and version."""

    id: str = Field(description="`mdl_…`.")
    name: str = Field(description="Name.")
    version: int = Field(description="Version under this name.")


class SourceProbability(BaseModel):
    """A source's part of the distribution."""

    source: str = Field(description="Name of the source.")
    source_id: int = Field(description="Number of the source in the model, as in GET /models/{id}/sources.")
    probability: float = Field(description="Calibrated probability that the text comes from it.")
    score: float = Field(description="The source's own one-versus-all sigmoid, not normalised.")


class Classification(BaseModel):
    """A text's distribution: `probability` over all sources, `other` and `unknown` sum to 1."""

    index: int = Field(description="Position of the text in `input`.")
    distribution: list[SourceProbability] = Field(description="The most probable sources, best first.")
    unknown: float = Field(description="Probability that no known source is right.")
    other: float = Field(description="Probability of the sources that are not listed.")
    known: bool = Field(
        description="Whether the text passes for one of a known source: `unknown` is below the model's "
        "operating point, where 5 % of held-out texts of its own sources are at the default `unknown_prior`."
    )
    entropy: float = Field(description="Of the distribution over all sources and unknown, in bits.")
    truncated: bool = Field(description="Whether the text was longer than the model reads.")


class Usage(BaseModel):
    """What a request cost."""

    texts: int = Field(description="Texts.")
    tokens: int = Field(description="Tokens read.")


class ClassifyResponse(BaseModel):
    """Answer of `POST /classify`."""

    model: ModelName = Field(description="The model that answered.")
    results: list[Classification] = Field(description="One per text, in the order of `input`.")
    usage: Usage = Field(description="What the request cost.")
