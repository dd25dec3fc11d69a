"""Binary cross-entropy per bit of the source's number."""

import torch
from torch.nn.functional import logsigmoid, softplus

from sip_model.identifiers.positives import PositiveIndex


class BinaryCode:
    """The source's number written in ⌈log₂ C⌉ bits, each bit a binary decision.

    ``L = Σ_b softplus(−t_b z_b)`` with t_b = ±1 the bit of the right source, summed over bits and averaged
    over samples; a sample with several right sources counts as that many, each with its share.
    """

    def num_outputs(self, num_sources: int) -> int:
        """⌈log₂ C⌉ bits."""
        return max(1, (num_sources - 1).bit_length())

    def output_bias(self, num_sources: int) -> float:
        """0: a bit is as often on as off."""
        return 0.0

    def __call__(self, outputs: torch.Tensor, positives: PositiveIndex) -> torch.Tensor:
        """Bit logits (B, K) -> scalar."""
        signs = bit_signs(positives.columns, outputs.shape[1])  # (P, K)
        per_bit = softplus(-signs * outputs[positives.rows])  # (P, K)
        return (per_bit.sum(dim=1) * positives.weights).sum() / len(outputs)

    def logits(self, outputs: torch.Tensor, num_sources: int) -> torch.Tensor:
        """The log-probability of each source's code, (B, K) -> (B, C): ``Σ_b log σ(t_b z_b)``."""
        signs = bit_signs(torch.arange(num_sources, device=outputs.device), outputs.shape[1])  # (C, K)
        # log σ(tz) is log σ(z) where t = 1 and log σ(z) − z where t = −1: one product instead of (B, C, K)
        off = (1 - signs) / 2  # (C, K)
        return logsigmoid(outputs).sum(dim=1, keepdim=True) - outputs @ off.T


def bit_signs(numbers: torch.Tensor, num_bits: int) -> torch.Tensor:
    """Source numbers (P,) -> +1 / −1 for their bits, lowest first, (P, K) float32."""
    bits = (numbers[:, None] >> torch.arange(num_bits, device=numbers.device)) & 1
    return (2 * bits - 1).to(torch.float32)
