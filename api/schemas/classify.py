"""`POST /classify`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import Reference, StrictRequest, Texts


def _is_absent(value: object) -> bool:
    """Whether a field is left out of the answer: what wasn't asked for."""
    return value is None


class ClassifyRequest(StrictRequest):
    """Texts whose sources are asked for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"input": ["Compute the one-dimensional discrete Fourier Transform."], "top_k": 3}]
        }
    )

    input: Texts = Field(
        description="A text, or up to 1024; 2,500,000 characters in all. Long ones are read in windows.",
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
    level: Literal["text", "token"] = Field(
        default="text",
        description="`token`: also say which stretch of a text is of which source; of 100,000 characters in "
        "all.",
    )
    evidence: int = Field(
        default=0, ge=0, le=10, description="Training passages listed per text that back its answer."
    )
    coverage: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Ask for `conformal_set`: a small set of sources that holds the right one this often.",
    )
    explain: bool = Field(
        default=False,
        description="Ask for `saliency`: which tokens speak for the most probable source. At most 32 texts "
        "and 10,000 characters in all.",
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


class Window(BaseModel):
    """A part of a long text, read by itself."""

    start: int = Field(description="Where it begins, in code points of the text.")
    end: int = Field(description="Where it ends.")
    source: str = Field(description="Its most probable source.")
    source_id: int = Field(description="Number of that source in the model.")
    probability: float = Field(description="Calibrated probability of that source.")
    unknown: float = Field(description="Probability that no known source is right for this part.")


class Span(BaseModel):
    """A stretch of a text that is of one source."""

    start: int = Field(description="Where it begins, in code points of the text.")
    end: int = Field(description="Where it ends.")
    source: str | None = Field(description="Its source; null: of no known source.")
    source_id: int | None = Field(description="Number of that source in the model, or null.")
    probability: float = Field(
        description="Calibrated probability of the source, the span read as a text of its own; of unknown "
        "where there is none."
    )


class Token(BaseModel):
    """A token of a text, painted with the source of its span."""

    text: str = Field(description="The token as it stands in the text.")
    start: int = Field(description="Where it begins, in code points of the text.")
    end: int = Field(description="Where it ends.")
    source: str | None = Field(description="The source of its span; null: of no known source.")
    probability: float = Field(
        description="The span's, times how probable it is that the token stands on this side of the changes."
    )


class SetMember(BaseModel):
    """A source in a conformal set."""

    source: str = Field(description="Name of the source.")
    source_id: int = Field(description="Number of the source in the model.")


class SharedSpan(BaseModel):
    """Words in a row that stand in the text and in a training document."""

    start: int = Field(description="Where they begin in the text, in code points.")
    end: int = Field(description="Where they end in the text.")
    document_start: int = Field(description="Where they begin in the document, in code points.")
    document_end: int = Field(description="Where they end in the document.")
    words: int = Field(description="How many words.")


class Evidence(BaseModel):
    """A passage the model has learned from that backs the answer."""

    source: str = Field(description="Its source; of several the one most probable for the text.")
    source_id: int = Field(description="Number of that source in the model.")
    sources: list[str] = Field(description="All its sources.")
    document: str = Field(description="Id of its document.")
    start: int = Field(description="Where it begins in the document, in code points.")
    end: int = Field(description="Where it ends in the document.")
    text: str = Field(description="The passage.")
    similarity: float = Field(
        description="Cosine of text and passage, -1 to 1: of backbone features, or of words if none are read."
    )
    shared: list[SharedSpan] = Field(description="What both have word for word, in the order of the text.")


class TokenSaliency(BaseModel):
    """What a token says for the most probable source: above 0 for it, below 0 against it."""

    text: str = Field(description="The token's characters.")
    start: int = Field(description="Where it begins in the text, in code points.")
    end: int = Field(description="Where it ends.")
    weight: float = Field(
        description="Of the answer: its part in the log-odds of the source, exact for n-grams, gradient x "
        "input for what the backbone adds."
    )
    gradient: float | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="Gradient x input of the trained head's log-odds; none where no backbone is read.",
    )
    channels: float | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="The same through the channels alone that tell the source apart, its variance conserved; "
        "none where they aren't known.",
    )


class TextWarning(BaseModel):
    """A reason to trust an answer less."""

    code: Literal["short_text", "other_script", "other_language"] = Field(description="Which one.")
    message: str = Field(description="In words.")


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
    truncated: bool = Field(description="Whether not all of the text was read: beyond 256 windows.")
    windows: list[Window] = Field(
        default=[], description="The parts of a long text; none where it was read at once."
    )
    spans: list[Span] | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="With `level: token`: the text in stretches of one source each, in order.",
    )
    tokens: list[Token] | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="With `level: token`: the backbone's tokens, or words where the model reads no backbone.",
    )
    warnings: list[TextWarning] = Field(default=[], description="Reasons to trust the answer less.")
    conformal_set: list[SetMember] | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="With `coverage`: of texts like those the model has learned from, this share has a right "
        "source in it. Most probable first.",
    )
    evidence: list[Evidence] | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="With `evidence`: passages over all sources; first those that the text quotes, the "
        "longest quotation at the top, then by nearness in features, shared words and probability of the "
        "source.",
    )
    saliency: list[TokenSaliency] | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="With `explain`: the tokens of the text that was read, in their order, and what each "
        "says for the most probable source, listed or not.",
    )


class Usage(BaseModel):
    """What a request cost."""

    texts: int = Field(description="Texts.")
    tokens: int = Field(description="Tokens read.")


class ClassifyResponse(BaseModel):
    """Answer of `POST /classify`."""

    model: ModelName = Field(description="The model that answered.")
    results: list[Classification] = Field(description="One per text, in the order of `input`.")
    usage: Usage = Field(description="What the request cost.")
