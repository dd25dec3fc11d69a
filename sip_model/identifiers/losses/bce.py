"""One-versus-all binary cross-entropy."""

import math

import torch
from torch.nn.functional import softplus

from sip_model.identifiers.positives import PositiveIndex


class BinaryCrossEntropy:
    """Each source against all others; a sample may have several right sources.

    ``L = Σ_c softplus(z_c) − Σ_{c: y_c=1} z_c``, summed over sources and averaged over samples. The dense
    target is never built: the positives are indexed. With the output bias at −log(C − 1) every source starts
    at probability 1/C; from 0 the sum over C negatives swamps the positives (at 1,000 sources nothing is
    learned).
    """

    def num_outputs(self, num_sources: int) -> int:
        """One output per source."""
        return num_sources

    def output_bias(self, num_sources: int) -> float:
        """The log-odds of 1/C."""
        return -math.log(num_sources - 1)

    def __call__(self, outputs: torch.Tensor, positives: PositiveIndex) -> torch.Tensor:
        """Logits (B, C) -> scalar."""
        right = outputs[positives.rows, positives.columns]  # (P,)
        return (softplus(outputs).sum() - right.sum()) / len(outputs)

    def logits(self, outputs: torch.Tensor, num_sources: int) -> torch.Tensor:
        """The outputs themselves."""
        return outputs
