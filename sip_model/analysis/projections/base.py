"""What a projection to two dimensions is, and what it may be fitted on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FittingData:
    """Hidden states to fit a projection on, centred. The test part is never among them."""

    features: FloatArray
    """(m, D) of the training part."""
    labels: IntArray
    """(m,) class of each, 0 to C − 1."""
    validation: FloatArray
    """(v, D) of the validation part: they may only decide when to stop."""
    validation_labels: IntArray
    """(v,)"""
    num_classes: int
    """C."""
    seed: int
    """Draws initial weights, where there are any."""


class Projection(NamedTuple):
    """A fitted map from hidden states to the plane."""

    apply: Callable[[FloatArray], Array]
    """Hidden states (n, D), centred -> points (n, 2)."""
    explained: tuple[float, float] | None
    """Share of the variance each dimension explains: of all of it for `pca`, of the variance between classes
    for `lda`; None where the notion doesn't apply."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to two dimensions."""

    fit: Callable[[FittingData], Projection]
    uses_labels: bool
    """Whether classes shape it: it is fitted on the sources of one panel then, else on all sources at once.
    Training chunks look better separated than others then; read the test part."""
