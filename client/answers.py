"""The shapes of the service's answers. Fields may be added to them; times are RFC 3339 UTC strings."""

from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

Item = TypeVar("Item")
Status = Literal["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]
FINAL: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})
"""States an experiment leaves only when it is tried again."""


class Page(TypedDict, Generic[Item]):
    """One page of a list."""

    data: list[Item]
    has_more: bool
    next_cursor: str | None


class Dataset(TypedDict):
    """A corpus the service holds, or imports by `experiment`: its numbers are 0 until it is ready."""

    id: str
    name: str
    status: Literal["importing", "ready", "failed"]
    format: str
    num_documents: int
    num_sources: int
    num_bytes: int
    sha256: str | None
    experiment: NotRequired[str | None]
    origin: NotRequired[dict[str, Any] | None]
    error: NotRequired["Failure | None"]
    created_at: str


class Source(TypedDict):
    """A source of a dataset or of a model; which counts it has depends on whose it is."""

    name: str
    number: NotRequired[int]
    source_id: NotRequired[int]
    author: NotRequired[str | None]
    num_documents: NotRequired[int]
    num_words: NotRequired[int]


class Progress(TypedDict):
    """Where a running experiment stands."""

    phase: str | None
    done: int | None
    total: int | None
    unit: str | None
    eta_seconds: float | None


class Failure(TypedDict):
    """Why an experiment failed."""

    type: str
    message: str


class Artifact(TypedDict):
    """A file an experiment left behind."""

    name: str
    media_type: str
    bytes: int
    sha256: str
    url: str


class Experiment(TypedDict):
    """An experiment, with every default of its config written out."""

    id: str
    kind: str
    name: str | None
    status: Status
    dataset: str | None
    model: str | None
    backbone: str | None
    config: dict[str, Any]
    seed: int
    progress: Progress
    metrics: dict[str, float | None]
    error: Failure | None
    attempt: int
    resumed_from_step: NotRequired[int | None]
    parent: NotRequired[str | None]
    children: NotRequired[dict[str, int] | None]
    artifacts: list[Artifact]
    created_at: str
    started_at: str | None
    finished_at: str | None


class Metric(TypedDict):
    """One measured value; null where it was not a finite number."""

    experiment: str
    name: str
    value: float | None
    step: int | None
    split: str | None
    layer: int | None
    seed: int | None
    backbone: str | None
    dataset: str | None
    recorded_at: str


class MetricPage(TypedDict):
    """Metric rows after a cursor, and the cursor to go on from."""

    data: list[Metric]
    next_since: int | str
    has_more: bool


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


class Embedding(TypedDict):
    """One text's vector."""

    index: int
    embedding: list[float]


class Embedded(TypedDict):
    """Answer of `POST /embed`."""

    data: list[Embedding]
    model: str
    dimensions: int
    usage: Usage


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


class Check(TypedDict):
    """One part of the service: its database, its broker, …"""

    status: str
    detail: NotRequired[str | None]


class Health(TypedDict):
    """Answer of `GET /health/ready`."""

    status: Literal["ok", "degraded", "down"]
    checks: NotRequired[dict[str, Check]]
