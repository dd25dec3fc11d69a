"""Softmax cross-entropy, the comparison."""

import torch

from sip_model.identifiers.positives import PositiveIndex


class CrossEntropy:
    """One right source among C; of several right ones each gets an equal share.

    ``L = −Σ_{c: y_c=1} log softmax(z)_c / |y|``, averaged over samples.
    """

    def num_outputs(self, num_sources: int) -> int:
        """One output per source."""
        return num_sources

    def output_bias(self, num_sources: int) -> float:
        """0: a softmax doesn't see a common bias."""
        return 0.0

    def __call__(self, outputs: torch.Tensor, positives: PositiveIndex) -> torch.Tensor:
        """Logits (B, C) -> scalar."""
        log_probabilities = outputs.log_softmax(dim=1)  # (B, C)
        right = log_probabilities[positives.rows, positives.columns]  # (P,)
        return -(right * positives.weights).sum() / len(outputs)

    def logits(self, outputs: torch.Tensor, num_sources: int) -> torch.Tensor:
        """The outputs themselves."""
        return outputs
