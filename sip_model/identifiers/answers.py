"""From scored texts to answers: calibrated probabilities, the probability of "unknown", and a decision."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.calibration import Calibration
from sip_model.identifiers.unknown import DEFAULT_UNKNOWN_PRIOR, UnknownModel

Array = npt.NDArray[np.float64]


class Scored(NamedTuple):
    """n texts before calibration."""

    logits: Array
    """(n, C) one-versus-all."""
    signs: Array
    """(n, S) that no known source is right."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """n texts after calibration."""

    probabilities: Array
    """(n, C); with `unknown` a row sums to 1."""
    unknown: Array
    """(n,) probability that no known source is right."""
    known: npt.NDArray[np.bool_]
    """(n,) whether the text passes for one of a known source at the model's operating point."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was fitted on texts that the members of an identifier haven't learned from."""

    calibration: Calibration
    unknown: UnknownModel

    def __call__(self, scored: Scored, prior: float = DEFAULT_UNKNOWN_PRIOR) -> Answers:
        """Answers to n texts.

        Args:
            scored: their logits and signs.
            prior: share of texts from no known source, 0 to 1.
        """
        unknown = self.unknown.probability(scored.signs, prior)
        probabilities = self.calibration(scored.logits) * (1 - unknown)[:, None]
        return Answers(probabilities, unknown, unknown < self.unknown.threshold)
