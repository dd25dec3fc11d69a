"""What inference answers: one source distribution per text, and what it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sip_model.evidence.passages import Passage
from sip_model.evidence.shared import SharedSpan
from sip_model.identifiers.familiarity import TextWarning
from sip_model.inference.saliency import Saliency
from sip_model.inference.spans import Painting

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Window(NamedTuple):
    """A part of a long text, read by itself."""

    start: int
    end: int
    """Code points of the text."""
    source: int
    """The most probable one."""
    probability: float
    unknown: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A training passage that backs an answer."""

    passage: Passage
    sources: tuple[int, ...]
    """Of the passage, the one most probable for the text first."""
    similarity: float
    """Cosine in the space of backbone features, of words where the model reads no backbone; -1 to 1."""
    shared: tuple[SharedSpan, ...]
    """What the text has word for word, in its order."""


@dataclass(frozen=True, slots=True, eq=False)
class Distributions:
    """Source distributions of n texts over C sources and "unknown"."""

    probabilities: Array
    """(n, C), calibrated; with `unknown` a row sums to 1."""
    scores: Array
    """(n, C), each source's own one-versus-all sigmoid."""
    unknown: Array
    """(n,), probability that no known source is right."""
    known: BoolArray
    """(n,), whether the text passes for one of a known source at the model's operating point."""
    truncated: BoolArray
    """(n,), whether not all of the text was read."""
    num_tokens: int
    """Tokens read over all texts."""
    windows: Sequence[Sequence[Window]]
    """n lists; empty for a text that is read at once."""
    warnings: Sequence[Sequence[TextWarning]]
    """n lists of reasons to trust the answer less."""
    evidence: Sequence[Sequence[Evidence]] | None = None
    """n lists, the best first; None where none was asked for."""
    sets: BoolArray | None = None
    """(n, C), which sources are in the conformal set; None where none was asked for."""
    paintings: Sequence[Painting] | None = None
    """n texts in spans; None where none were asked for."""
    saliency: Sequence[Saliency] | None = None
    """n explanations; None where none was asked for."""
