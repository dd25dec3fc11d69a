"""What a model keeps beside its identifier, so that its answers come with sets and warnings."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self, cast

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.conformal import ConformalSets, SetScore
from sip_model.identifiers.familiarity import Familiarity


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """Fitted on the samples of an identifier, after it."""

    conformal: ConformalSets
    familiarity: Familiarity
    growth: float
    """How sure windows of one text make, see :func:`sip_model.identifiers.pooling.sharpened`."""

    @classmethod
    def from_stored(
        cls, content: Mapping[str, object], arrays: Mapping[str, npt.NDArray[np.generic]]
    ) -> Self:
        """What :meth:`as_json` and :meth:`arrays` gave."""
        score = SetScore(**cast("dict[str, float]", content["set_score"]))  # type: ignore[arg-type]  # JSON, checked by use
        familiarity = Familiarity.from_json(cast("dict[str, object]", content["familiarity"]))
        growth = cast("float", content["growth"])
        return cls(ConformalSets.from_arrays(score, arrays), familiarity, growth)

    def as_json(self) -> dict[str, object]:
        """What is stored as JSON."""
        return {
            "set_score": asdict(self.conformal.score),
            "familiarity": self.familiarity.as_json(),
            "growth": self.growth,
        }

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """What is stored as arrays, by name."""
        return self.conformal.arrays()
