"""What a statistic is under random labelings."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Null:
    """A statistic's distribution over random labelings, and where the observed value lies in it."""

    mean: float
    sd: float
    """Standard deviation (n − 1 in the denominator); 0 for a single labeling."""
    z: float | None
    """(observed − mean) / sd; None where sd is 0."""
    p: float
    """Share of labelings, the observed one included, whose value is as large as the observed one."""
    permutations: int

    @classmethod
    def of(cls, observed: float, drawn: npt.NDArray[np.float64]) -> Self:
        """From the values (P,) of P random labelings, P ≥ 1.

        With the observed labeling counted in, ``p ≤ α`` has probability α at most when there is nothing to
        find (Phipson and Smyth 2010); no p is below 1 / (P + 1).
        """
        mean, sd = float(drawn.mean()), float(drawn.std(ddof=1)) if len(drawn) > 1 else 0.0
        as_large = np.count_nonzero(drawn >= observed - 1e-12 * max(1.0, abs(observed)))
        return cls(
            mean=mean,
            sd=sd,
            z=(observed - mean) / sd if sd > 0 else None,
            p=(1 + int(as_large)) / (1 + len(drawn)),
            permutations=len(drawn),
        )
