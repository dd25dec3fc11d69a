"""Answers of `POST /classify`."""

from typing import Literal, NotRequired, TypedDict

from client.answers.models import ModelName


class SourceProbability(TypedDict):
    """One source's share of a text's distribution."""

    source: str
    source_id: int
    probability: float
    score: float


class Window(TypedDict):
    """A part of a long text, read by itself."""

    start: int
    end: int
    source: str
    source_id: int
    probability: float
    unknown: float


class Span(TypedDict):
    """A stretch of a text that is of one source; null: of none that is known."""

    start: int
    end: int
    source: str | None
    source_id: int | None
    probability: float


class Token(TypedDict):
    """A token of a text, painted with the source of its span."""

    text: str
    start: int
    end: int
    source: str | None
    probability: float


class SetMember(TypedDict):
    """A source in a conformal set."""

    source: str
    source_id: int


class SharedSpan(TypedDict):
    """Words in a row that stand in the text and in a training document, in code points of both."""

    start: int
    end: int
    document_start: int
    document_end: int
    words: int


class Evidence(TypedDict):
    """A passage the model has learned from that backs an answer."""

    source: str
    source_id: int
    sources: list[str]
    document: str
    start: int
    end: int
    text: str
    similarity: float
    shared: list[SharedSpan]


class TokenSaliency(TypedDict):
    """What a token says for the most probable source: above 0 for it, below 0 against it."""

    text: str
    start: int
    end: int
    weight: float
    gradient: NotRequired[float | None]
    channels: NotRequired[float | None]


class TextWarning(TypedDict):
    """A reason to trust an answer less."""

    code: Literal["short_text", "other_script", "other_language"]
    message: str


class Classification(TypedDict):
    """A text's source distribution: probabilities, `other` and `unknown` sum to 1."""

    index: int
    distribution: list[SourceProbability]
    unknown: float
    other: float
    known: bool
    entropy: float
    truncated: bool
    windows: list[Window]
    warnings: list[TextWarning]
    spans: NotRequired[list[Span]]
    """With `level="token"`, as are `tokens`."""
    tokens: NotRequired[list[Token]]
    conformal_set: NotRequired[list[SetMember]]
    """Where `coverage` was given."""
    evidence: NotRequired[list[Evidence]]
    """Where it was asked for."""
    saliency: NotRequired[list[TokenSaliency]]
    """Where `explain` was set."""


class Usage(TypedDict):
    """What a request cost."""

    texts: int
    tokens: int


class Classified(TypedDict):
    """Answer of `POST /classify`."""

    model: ModelName
    results: list[Classification]
    usage: Usage
