"""The space in which a text's nearest training passages are looked for by what the backbone makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from sip_model.identifiers.positives import Positives
from sip_model.identifiers.whitening import Whitening

MAX_DIMENSIONS = 256

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSpace:
    """``x ↦ (x − mean) A``, scaled to unit length: directions count by how well they tell sources apart, and
    the d of them that vary most are kept."""

    mean: FloatArray
    """(D,)"""
    transform: FloatArray
    """A, (D, d)"""

    @classmethod
    def fit(cls, features: FloatArray, positives: Positives, num_sources: int) -> Self:
        """Fit on the features (n, D) of n passages."""
        read = torch.from_numpy(features)
        whitening = Whitening.fit(read, positives, num_sources)
        whitened = whitening(read)  # (n, D)
        num_kept = min(MAX_DIMENSIONS, *whitened.shape)
        covariance = (whitened.T @ whitened).double() / len(whitened)
        directions = torch.linalg.eigh(covariance).eigenvectors[:, -num_kept:].float()  # (D, d)
        scaling = whitening.transform
        transform = scaling @ directions if scaling.dim() == 2 else scaling[:, None] * directions
        return cls(whitening.mean.numpy(), transform.numpy())

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """What :meth:`arrays` gave."""
        return cls(arrays["space.mean"].astype(np.float32), arrays["space.transform"].astype(np.float32))

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All there is to store, by name."""
        return {"space.mean": self.mean, "space.transform": self.transform}

    def __call__(self, features: FloatArray) -> FloatArray:
        """Features (n, D) -> vectors (n, d) of length 1."""
        vectors = (features - self.mean) @ self.transform
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny))
