"""The fixed affine map in front of a head: features in which sources differ in all directions alike."""

from typing import Self

import numpy as np
import torch

from sip_model.identifiers.positives import Positives

# Beyond this width the (D, D) matrix costs more than the head behind it.
MAX_WHITENED_FEATURES = 4096

SHRINKAGE = 0.1


class Whitening:
    """``x ↦ (x − mean) A``, fitted on training samples.

    Up to `MAX_WHITENED_FEATURES` features, A whitens the pooled within-source covariance
    ``Σ_w = (1 − s) S_w + s · tr(S_w)/D · I`` (shrinkage s = 0.1), as linear discriminant analysis does:
    distances then count directions by how well they tell sources apart. Wider features are only scaled to
    unit variance, and A is a vector.

    Args:
        mean: (D,) float32.
        transform: A, (D, D) float32, or (D,) for a scaling alone.
    """

    def __init__(self, mean: torch.Tensor, transform: torch.Tensor) -> None:
        self.mean = mean
        self.transform = transform

    @classmethod
    def fit(cls, features: torch.Tensor, positives: Positives, num_sources: int) -> Self:
        """Fit on features (n, D) float32 of n samples; a sample of several sources counts for each."""
        mean = features.mean(dim=0)
        if features.shape[1] > MAX_WHITENED_FEATURES:
            return cls(mean, 1 / features.std(dim=0).clamp_min(1e-6))
        rows, sources = (
            torch.from_numpy(part).to(features.device) for part in positives.pairs(np.arange(len(positives)))
        )
        counts = torch.bincount(sources, minlength=num_sources).clamp_min(1)  # (C,)
        centroids = torch.zeros(num_sources, features.shape[1], device=features.device)
        centroids.index_add_(0, sources, features[rows])
        centroids /= counts[:, None]
        residuals = features[rows] - centroids[sources]  # (P, D)
        if not residuals.any():  # one sample per source: nothing is known of the scatter within one
            residuals = features[rows] - mean
        covariance = (residuals.T @ residuals).double() / len(rows)
        scale = covariance.diagonal().mean().clamp_min(1e-12)
        covariance.mul_(1 - SHRINKAGE).diagonal().add_(SHRINKAGE * scale)
        factor = torch.linalg.cholesky(covariance)
        identity = torch.eye(len(factor), dtype=factor.dtype, device=factor.device)
        inverse = torch.linalg.solve_triangular(factor, identity, upper=False)  # L⁻¹, so that Σ⁻¹ = L⁻ᵀ L⁻¹
        return cls(mean, inverse.T.to(features.dtype).contiguous())

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Features (B, D) -> (B, D)."""
        centred = features - self.mean
        return centred @ self.transform if self.transform.dim() == 2 else centred * self.transform
