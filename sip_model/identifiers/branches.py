"""The parts an identifier adds up: each maps what it reads to one logit per source."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from sip_model.identifiers.losses import Loss
from sip_model.identifiers.ngrams import FloatArray, HashedNgrams
from sip_model.identifiers.whitening import Whitening

BACKBONE_BRANCH = "backbone"

# Rows are multiplied in multiples of this: one row alone takes another way through the CPU's matrix products
# than many do, with another rounding.
ROW_STEP = 16


@dataclass(frozen=True, slots=True, eq=False)
class BackboneBranch:
    """A head over whitened backbone features."""

    whitening: Whitening
    head: nn.Sequential
    loss: Loss
    num_sources: int

    @torch.inference_mode()
    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Features (B, D) float32, the layers side by side -> logits (B, C).

        A row's logits don't depend on the others, on a CPU to the last bit.
        """
        num_rows = len(features)
        padded = pad(features, (0, 0, 0, -num_rows % ROW_STEP))
        return self.loss.logits(self.head(self.whitening(padded))[:num_rows], self.num_sources)


@dataclass(frozen=True, slots=True, eq=False)
class LexicalBranch:
    """A linear map over hashed n-grams."""

    ngrams: HashedNgrams
    weight: FloatArray
    """(U, K), K outputs of the loss."""
    bias: float
    loss: Loss
    num_sources: int

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """n texts -> logits (n, C) float32."""
        outputs = self.ngrams(texts) @ self.weight + np.float32(self.bias)  # (n, K)
        return self.loss.logits(torch.from_numpy(outputs), self.num_sources)
