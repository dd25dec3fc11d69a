"""From scored texts to answers: calibrated probabilities, the probability of "unknown", and a decision."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.calibration import Calibration
from sip_model.identifiers.quotations import QuotationTrust
from sip_model.identifiers.unknown import DEFAULT_UNKNOWN_PRIOR, UnknownModel

Array = npt.NDArray[np.float64]


class Scored(NamedTuple):
    """n texts before calibration."""

    logits: Array
    """(n, C) one-versus-all."""
    signs: Array
    """(n, S) that no known source is right."""
    quoted: Array
    """(n, C) share of the words known from each source word for word; (n, 0) where none are remembered."""


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
    trust: QuotationTrust | None = None
    """In quotations; None where none are remembered."""

    def __call__(self, scored: Scored, prior: float = DEFAULT_UNKNOWN_PRIOR) -> Answers:
        """Answers to n texts.

        Args:
            scored: their logits and signs.
            prior: share of texts from no known source, 0 to 1.
        """
        # a text of a known source may be a copy; of one that is new the signs tell whether it is of any
        copied = (1 - prior) * self._trusted(scored.quoted)
        unknown = (1 - copied) * self.unknown.probability(scored.signs, prior)
        probabilities = self.known(self.calibration(scored.logits), scored.quoted) * (1 - unknown)[:, None]
        return Answers(probabilities, unknown, unknown < self.unknown.threshold)

    def known(self, probabilities: Array, quoted: Array) -> Array:
        """What is said of n texts, given that some known source is right, (n, C).

        Args:
            probabilities: (n, C), what the members say: rows sum to 1, and do so afterwards.
            quoted: as in :class:`Scored`.
        """
        if self.trust is None:
            return probabilities
        rest = 1 - self._trusted(quoted)
        return np.asarray(rest[:, None] * probabilities + self.trust(quoted)[:, None] * quoted)

    def _trusted(self, quoted: Array) -> Array:
        """How much of each answer the quotations make, (n,)."""
        if self.trust is None:
            return np.zeros(len(quoted))
        return np.asarray(self.trust(quoted) * quoted.sum(axis=1))
