"""`POST /embed`, and the same in OpenAI's form."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.schemas.classify import Usage
from api.schemas.fields import Reference, StrictRequest, Texts
from sip_model.experiments.config import Pooling

EncodingFormat = Literal["float", "base64"]


class EmbedRequest(StrictRequest):
    """Texts to embed, with a trained model's backbone or with one named directly."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"input": ["Returns the sorted unique elements."], "backbone": "minilm"}]
        }
    )

    input: Texts = Field(
        description="A text, or up to 1024 of them.",
        examples=[["Returns the sorted unique elements of an array."]],
    )
    model: Reference | None = Field(
        default=None,
        description="Use the backbone, layer and pooling of this model. Without `model` and `backbone`: of "
        "the default model, or `minilm` where there is none.",
    )
    backbone: Reference | None = Field(default=None, description="A backbone id as in GET /backbones.")
    layer: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="0: embeddings, L: last. Unless given: the model's deepest, or L.",
    )
    pooling: Pooling | None = Field(
        default=None, description="How token states become one vector; unless given the model's, or `mean`."
    )
    normalize: bool = Field(default=True, description="Whether vectors are scaled to length 1.")
    dimensions: int | None = Field(
        default=None, ge=1, le=65_536, description="Keep only the first so many; scaled after that."
    )

    encoding_format: EncodingFormat = Field(
        default="float", description="`base64`: each vector as the bytes of its little-endian float32."
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.model is not None and self.backbone is not None:
            raise ValueError("backbone: expected at most one of model, backbone; found both")
        return self


class Embedding(BaseModel):
    """A text's vector."""

    index: int = Field(description="Position of the text in `input`.")
    embedding: list[float] | str = Field(description="The vector, as numbers or base64.")


class EmbedResponse(BaseModel):
    """Answer of `POST /embed`."""

    data: list[Embedding] = Field(description="One per text, in the order of `input`.")
    model: str = Field(description="Id of the backbone that read the texts.")
    dimensions: int = Field(description="Length of each vector.")
    usage: Usage = Field(description="What the request cost.")


class OpenAIEmbeddingsRequest(StrictRequest):
    """`POST /v1/embeddings`, OpenAI's request."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"input": "Returns the sorted unique elements.", "model": "minilm"}]}
    )

    input: Texts = Field(
        description="A text, or up to 1024 of them; arrays of token numbers are not taken.",
        examples=["Returns the sorted unique elements of an array."],
    )
    model: Reference = Field(description="A trained model, a backbone id, or `default`.", examples=["minilm"])
    encoding_format: EncodingFormat = Field(default="float", description="`base64`: little-endian float32.")
    dimensions: int | None = Field(default=None, ge=1, le=65_536, description="Keep only the first so many.")
    user: str | None = Field(default=None, max_length=1000, description="Taken and not used.")


class OpenAIEmbedding(BaseModel):
    """A text's vector in OpenAI's form."""

    object: Literal["embedding"] = Field(default="embedding", description="Always `embedding`.")
    index: int = Field(description="Position of the text in `input`.")
    embedding: list[float] | str = Field(description="The vector of length 1, as numbers or base64.")


class OpenAIUsage(BaseModel):
    """What a request cost, in OpenAI's words."""

    prompt_tokens: int = Field(description="Tokens read.")
    total_tokens: int = Field(description="The same.")


class OpenAIEmbeddingsResponse(BaseModel):
    """Answer of `POST /v1/embeddings`."""

    object: Literal["list"] = Field(default="list", description="Always `list`.")
    data: list[OpenAIEmbedding] = Field(description="One per text, in the order of `input`.")
    model: str = Field(description="Id of the backbone that read the texts.")
    usage: OpenAIUsage = Field(description="What the request cost.")


class OpenAIModel(BaseModel):
    """Something `/v1/embeddings` takes as `model`."""

    id: str = Field(description="What to pass as `model`.")
    object: Literal["model"] = Field(default="model", description="Always `model`.")
    created: int = Field(description="Seconds since 1970; 0 where unknown.")
    owned_by: str = Field(description="`backbone` or `trained`.")


class OpenAIModels(BaseModel):
    """Answer of `GET /v1/models`."""

    object: Literal["list"] = Field(default="list", description="Always `list`.")
    data: list[OpenAIModel] = Field(description="Backbones and trained models.")
