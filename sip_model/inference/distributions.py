"""What inference answers: one source distribution per text."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Distributions:
    """Source distributions of n texts over C sources and "unknown"."""

    probabilities: Array
    """(n, C), calibrated; with `unknown` a row sums to 1."""
    scores: Array
    """(n, C), each source's own one-versus-all sigmoid."""
    unknown: Array
    """(n,), probability that no known source is right."""
    known: npt.NDArray[np.bool_]
    """(n,), whether the text passes for one of a known source at the model's operating point."""
    truncated: npt.NDArray[np.bool_]
    """(n,), whether the backbone read only the beginning of the text."""
    num_tokens: int
    """Tokens read over all texts."""
