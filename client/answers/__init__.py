"""The shapes of the service's answers. Fields may be added to them; times are RFC 3339 UTC strings."""

from client.answers.classification import (
    Classification,
    Classified,
    Evidence,
    SetMember,
    SharedSpan,
    SourceProbability,
    Span,
    TextWarning,
    Token,
    TokenSaliency,
    Usage,
    Window,
)
from client.answers.datasets import Dataset, Source
from client.answers.embedding import Embedded, Embedding
from client.answers.experiments import (
    FINAL,
    Artifact,
    Experiment,
    Failure,
    LogLine,
    LogPage,
    Progress,
    Status,
)
from client.answers.health import Check, Health
from client.answers.metrics import Metric, MetricPage
from client.answers.models import Backbone, Model, ModelName
from client.answers.paging import Page

__all__ = [
    "FINAL",
    "Artifact",
    "Backbone",
    "Check",
    "Classification",
    "Classified",
    "Dataset",
    "Embedded",
    "Embedding",
    "Evidence",
    "Experiment",
    "Failure",
    "Health",
    "LogLine",
    "LogPage",
    "Metric",
    "MetricPage",
    "Model",
    "ModelName",
    "Page",
    "Progress",
    "SetMember",
    "SharedSpan",
    "Source",
    "SourceProbability",
    "Span",
    "Status",
    "TextWarning",
    "Token",
    "TokenSaliency",
    "Usage",
    "Window",
]
