"""What a loss is to the training loop."""

from typing import Protocol

import torch

from sip_model.identifiers.positives import PositiveIndex


class Loss(Protocol):
    """From a head's K outputs per sample to a scalar, and from its outputs to logits over C sources."""

    def num_outputs(self, num_sources: int) -> int:
        """K, the width of the output layer for C sources."""

    def output_bias(self, num_sources: int) -> float:
        """Where the output bias starts, so that an untrained network answers with the base rate."""

    def __call__(self, outputs: torch.Tensor, positives: PositiveIndex) -> torch.Tensor:
        """The loss of outputs (B, K): a mean over samples, never divided by K or C."""

    def logits(self, outputs: torch.Tensor, num_sources: int) -> torch.Tensor:
        """One logit per source, (B, K) -> (B, C)."""
