"""What a probe reads: one layer's features on the device, standardised, and the labels of the samples."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import torch

from sip_model.identifiers.positives import IntArray, Positives

Array = npt.NDArray[np.float64]

# A feature that varies less than this share of its size is constant up to rounding.
CONSTANT_SHARE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ProbeRows:
    """n samples and their labels, numbered 0 to C − 1."""

    features: torch.Tensor
    """(n, D) float32"""
    positives: Positives
    """At least one label each. A sample of k labels counts 1/k for each of them, when a probe is fitted and
    when its labels are coded; a prediction is right if it is one of them."""
    num_labels: int
    """C"""

    def take(self, rows: IntArray) -> "ProbeRows":
        """Some of the samples alone."""
        chosen = self.features[torch.from_numpy(rows).to(self.features.device)]
        return ProbeRows(chosen, self.positives.take(rows), self.num_labels)

    def __len__(self) -> int:
        return len(self.positives)


class Probe(Protocol):
    """A fitted probe."""

    def probabilities(self, features: torch.Tensor) -> Array:
        """Softmax over the labels, (n, D) -> (n, C); 0 for a label the probe never met."""


@dataclass(frozen=True, slots=True, eq=False)
class Standardisation:
    """``x ↦ (x − mean) / deviation`` per feature; a constant feature becomes 0."""

    mean: torch.Tensor
    """(D,)"""
    scale: torch.Tensor
    """(D,) 1 / standard deviation, 0 for a constant feature."""

    @classmethod
    def fit(cls, features: torch.Tensor) -> Self:
        """Fit on features (n, D) of the training part."""
        deviation, mean = torch.std_mean(features, dim=0, correction=0)  # (D,)
        is_constant = deviation <= CONSTANT_SHARE * (1 + mean.abs())
        return cls(mean, torch.where(is_constant, 0.0, 1 / deviation.masked_fill(is_constant, 1.0)))

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, D) -> (n, D)."""
        return (features - self.mean) * self.scale
