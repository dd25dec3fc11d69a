"""What a backbone's reading of some texts comes to."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Extraction(NamedTuple):
    """Features of n texts."""

    features: FloatArray
    """Pooled token states, (n, K, D) for K layers in the order asked for."""
    num_tokens: IntArray
    """Tokens read per text, special tokens included, (n,)."""
    truncated: BoolArray
    """Whether a text had more tokens than were read, (n,)."""
