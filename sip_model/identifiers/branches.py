"""What an identifier reads, and the members over it: each maps it to one logit per source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from sip_model.identifiers.losses import Loss
from sip_model.identifiers.ngrams import FloatArray, HashedNgrams
from sip_model.identifiers.positives import Positives
from sip_model.identifiers.whitening import Whitening

BACKBONE_BRANCH = "backbone"

# Rows are multiplied in multiples of this: one row alone takes another way through the CPU's matrix products
# than many do, with another rounding.
ROW_STEP = 16


# Standard deviation of a row's logits below which they are rounding errors around a constant.
MIN_SPREAD = 1e-6


class BackboneScores(NamedTuple):
    """What features (B, D) come to."""

    head: torch.Tensor
    """(B, C) logits of the trained head."""
    discriminant: torch.Tensor | None
    """(B, C) logits of linear discriminant analysis, standardised."""
    distance: torch.Tensor | None
    """(B,) squared Mahalanobis distance from the nearest source's centroid, per feature."""


@dataclass(frozen=True, slots=True, eq=False)
class BackboneBranch:
    """A head over whitened backbone features, and linear discriminant analysis of the same."""

    whitening: Whitening
    head: nn.Sequential
    loss: Loss
    num_sources: int
    centroids: torch.Tensor | None = None
    """(C, D) mean of each source's whitened features; None where they aren't known, as of a fine-tuned
    backbone."""

    @torch.inference_mode()
    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Features (B, D) float32, the layers side by side -> logits of the head (B, C).

        A row's logits don't depend on the others, on a CPU to the last bit.
        """
        return self._head_logits(self._whitened(features))[: len(features)]

    @torch.inference_mode()
    def scores(self, features: torch.Tensor) -> BackboneScores:
        """Features (B, D) float32 -> what both members make of them, row by row."""
        return self.differentiable(features)

    def differentiable(self, features: torch.Tensor) -> BackboneScores:
        """As :meth:`scores`, with gradients; to them the spread of a row's discriminant is a constant."""
        num_rows = len(features)
        whitened = self._whitened(features)
        head = self._head_logits(whitened)[:num_rows]
        if self.centroids is None:
            return BackboneScores(head, None, None)
        # x·μ − |μ|²/2 = (|x|² − |x − μ|²) / 2
        halves = self.centroids.square().sum(dim=1) / 2  # (C,)
        discriminant = (whitened @ self.centroids.T - halves)[:num_rows]
        distance = whitened[:num_rows].square().sum(dim=1) - 2 * discriminant.amax(dim=1)
        return BackboneScores(head, standardised(discriminant), distance / whitened.shape[1])

    def _whitened(self, features: torch.Tensor) -> torch.Tensor:
        return self.whitening(pad(features, (0, 0, 0, -len(features) % ROW_STEP)))

    def _head_logits(self, whitened: torch.Tensor) -> torch.Tensor:
        return self.loss.logits(self.head(whitened), self.num_sources)


def source_centroids(whitened: torch.Tensor, positives: Positives, num_sources: int) -> torch.Tensor:
    """Mean of each source's samples, (C, D); the origin for a source without any.

    Args:
        whitened: (n, D) float32.
        positives: of the n samples; one of several sources counts for each.
        num_sources: C.
    """
    rows, sources = (
        torch.from_numpy(part).to(whitened.device) for part in positives.pairs(np.arange(len(positives)))
    )
    sums = torch.zeros(num_sources, whitened.shape[1], device=whitened.device)
    sums.index_add_(0, sources, whitened[rows])
    return sums / torch.bincount(sources, minlength=num_sources).clamp_min(1)[:, None]


class LexicalScores(NamedTuple):
    """What n texts come to."""

    logits: torch.Tensor
    """(n, C) float32."""
    novelty: FloatArray
    """(n,) share of the text's different n-grams that the training part hasn't."""


@dataclass(frozen=True, slots=True, eq=False)
class LexicalBranch:
    """A linear map over hashed n-grams: trained, or naive Bayes."""

    ngrams: HashedNgrams
    weight: FloatArray
    """(U, K), K outputs of the loss; of naive Bayes (U, C)."""
    bias: float
    loss: Loss
    num_sources: int

    def scores(self, texts: Sequence[str]) -> LexicalScores:
        """n texts -> what the map makes of them, row by row."""
        rows, novelty = self.ngrams.read(texts)
        outputs = torch.from_numpy(rows @ self.weight + np.float32(self.bias))  # (n, K)
        if self.ngrams.spec.member == "naive_bayes":
            return LexicalScores(standardised(outputs), novelty)
        return LexicalScores(self.loss.logits(outputs, self.num_sources), novelty)


def standardised(logits: torch.Tensor) -> torch.Tensor:
    """Logits (n, C) with rows of mean 0 and standard deviation 1; 0 where a row says the same of all sources.

    Of counted members only the differences between sources mean something, and these grow with the length of
    the feature vector, which says nothing of the source.
    """
    spread, mean = torch.std_mean(logits, dim=1, keepdim=True, correction=0)
    return (logits - mean) / spread.clamp_min(MIN_SPREAD).detach()
