"""How the branches' logits are added up, fitted on the validation part."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch.nn.functional import softplus

from sip_model.identifiers.minimum import minimum
from sip_model.identifiers.positives import Positives

# Standard deviation of logits below which they are rounding errors around a constant.
MIN_SPREAD = 1e-5


@dataclass(frozen=True, slots=True)
class Fusion:
    """``z = Σ_k w_k z_k + b`` over K branches."""

    weights: tuple[float, ...]
    bias: float

    @classmethod
    def fit(cls, branches: torch.Tensor, positives: Positives) -> Self:
        """Fit K weights and a bias; both steps are convex.

        First the direction of w, none below 0, by the likelihood of the right sources under a softmax; then
        scale and bias by BCE, so that ``σ(z)`` is each source's own probability.

        Args:
            branches: (K, n, C) logits on samples that no branch was trained on.
            positives: of the n samples.
        """
        stacked = branches.double()
        # branches differ in scale by orders of magnitude; a common one conditions the problem
        spread = stacked.std(dim=(1, 2))  # (K,)
        # one that says the same of all sources has none: left as it is, its weight doesn't matter
        scales = torch.where(spread > MIN_SPREAD, spread, 1.0)
        scaled = stacked / scales[:, None, None]
        rows, columns = (torch.from_numpy(part) for part in positives.pairs(np.arange(len(positives))))
        weights = _ranking_weights(scaled, rows, columns)
        ranked = torch.tensordot(weights, scaled, dims=1)  # (n, C)
        slope, bias = _sigmoid_fit(ranked, rows, columns)
        return cls(tuple((slope * weights / scales).tolist()), bias)

    def __call__(self, branches: torch.Tensor) -> torch.Tensor:
        """Logits (K, n, C) -> (n, C), in double precision."""
        weights = torch.tensor(self.weights, dtype=torch.float64, device=branches.device)
        fused: torch.Tensor = torch.tensordot(weights, branches.double(), dims=1)
        return fused + self.bias


def _ranking_weights(branches: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    def objective(weights: torch.Tensor) -> torch.Tensor:
        log_probabilities: torch.Tensor = torch.tensordot(weights, branches, dims=1).log_softmax(dim=1)
        # a standard normal prior: next to nothing for a thousand samples, enough to hold a dozen
        prior = weights.square().sum() / (2 * len(rows))
        return prior - log_probabilities[rows, columns].mean()

    return minimum(objective, [1 / len(branches)] * len(branches), [(0.0, None)] * len(branches))


def _sigmoid_fit(logits: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> tuple[float, float]:
    def objective(line: torch.Tensor) -> torch.Tensor:
        z = line[0] * logits + line[1]  # (n, C)
        return (softplus(z).sum() - z[rows, columns].sum()) / len(z)

    slope, bias = minimum(objective, [1.0, -float(logits.amax(dim=1).mean())], [(None, None)] * 2).tolist()
    return slope, bias
