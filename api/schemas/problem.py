"""The error body, RFC 9457."""

from pydantic import BaseModel, Field


class ProblemField(BaseModel):
    """One field that can't be used."""

    loc: list[str | int] = Field(
        description="Where it stands: `body`, `query` or `path`, then keys and positions.",
        examples=[["body", "config", "backbone", "layers"]],
    )
    msg: str = Field(
        description="What was expected and what was found; the value itself is never repeated.",
        examples=["expected numbers from 0 to 6; found 9"],
    )
    type: str = Field(description="A short name of the kind of error.", examples=["backbone"])


class OpenAIError(BaseModel):
    """The same in OpenAI's form."""

    message: str = Field(description="As `detail`.")
    type: str = Field(description="The kind of problem.")
    param: str | None = Field(description="The first field that can't be used.")
    code: str = Field(description="The kind of problem.")


class Problem(BaseModel):
    """What went wrong, as `application/problem+json`."""

    type: str = Field(description="The kind of problem: a path of this service that explains it.")
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened here, and what to do.")
    instance: str | None = Field(description="The request's id, as in X-Request-ID.")
    errors: list[ProblemField] | None = Field(
        default=None, description="The fields that can't be used; only for validation errors."
    )
    error: OpenAIError | None = Field(
        default=None, description="Only below /v1: the same for clients written for OpenAI's API."
    )
