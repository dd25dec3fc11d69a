"""Multinomial logistic regression with an L2 penalty: one objective, two solvers.

With weights W (C, D), biases b (C,) and sample weights w,
``Σ_i w_i (logsumexp_c z_ic − z_{i, y_i}) + penalty/2 · ‖W‖²``, ``z = x Wᵀ + b``; biases are free.
scikit-learn's `LogisticRegression` minimises the same with ``C = 1 / penalty`` (of two classes it keeps one
weight vector, the difference of the two, so that ``C = 2 / penalty`` there).
"""

import math
import warnings
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

# Of the objective divided by the number of samples: in nats per weight, and in nats.
GRADIENT_TOLERANCE = 1e-5
LOSS_TOLERANCE = 1e-7


class Weights(NamedTuple):
    """A solution."""

    weight: torch.Tensor
    """(C, D) float32"""
    bias: torch.Tensor
    """(C,) float32"""
    passes: int
    """Evaluations of the objective (torch) or L-BFGS iterations (scikit-learn)."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """n samples with P (sample, label) pairs; every one of the C labels occurs."""

    features: torch.Tensor
    """(n, D) float32"""
    rows: torch.Tensor
    """(P,) the sample of each pair."""
    labels: torch.Tensor
    """(P,) its label."""
    weights: torch.Tensor
    """(P,) float32; those of one sample sum to 1."""
    num_labels: int
    """C"""


class Solver(Protocol):
    """Minimises the objective for one set of samples, each time from where it ended before."""

    def solve(self, penalty: float, max_passes: int) -> Weights:
        """The minimum, or what is reached within `max_passes`."""


class SklearnSolver:
    """scikit-learn's `LogisticRegression` (L-BFGS in float64 on the CPU)."""

    def __init__(self, data: LabelledRows) -> None:
        self._data = data
        rows = data.rows.cpu().numpy()
        self._features = data.features.cpu().double().numpy()[rows]  # (P, D)
        self._model = LogisticRegression(warm_start=True, tol=GRADIENT_TOLERANCE)

    def solve(self, penalty: float, max_passes: int) -> Weights:
        """See :class:`Solver`."""
        data, is_binary = self._data, self._data.num_labels == 2
        self._model.set_params(C=(2 if is_binary else 1) / penalty, max_iter=max_passes)
        with warnings.catch_warnings():
            # The budget is spent: what was reached is the result, as with any solver here.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model.fit(self._features, data.labels.cpu().numpy(), data.weights.cpu().numpy())
        weight, bias = (
            torch.from_numpy(np.asarray(part)) for part in (self._model.coef_, self._model.intercept_)
        )
        if is_binary:
            weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
        device = data.features.device
        return Weights(weight.float().to(device), bias.float().to(device), int(self._model.n_iter_[0]))


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Eigenvalues (D,) and eigenvectors (D, D) of the features' second moments, in float64."""

    values: torch.Tensor
    vectors: torch.Tensor

    @classmethod
    def of(cls, features: torch.Tensor) -> Self:
        """Of standardised features (n, D)."""
        moments = (features.T @ features).double() / len(features)  # (D, D)
        values, vectors = torch.linalg.eigh(moments)
        return cls(values.clamp_min(0.0), vectors)

    def preconditioner(self, num_labels: int, ridge: float) -> tuple[torch.Tensor, torch.Tensor]:
        """``A^(−1/2)`` and ``A^(1/2)``, (D, D) float32, of ``A = moments / C + ridge · I``: about the
        curvature of the mean loss where all C labels are equally likely (Böhning 1992)."""
        scale = torch.sqrt(self.values / num_labels + ridge)  # (D,)
        inverse, root = ((self.vectors * s) @ self.vectors.T for s in (1 / scale, scale))
        return inverse.float(), root.float()


class TorchSolver:
    """L-BFGS in float32 on the features' device, in coordinates in which the curvature is about 1.

    The change of coordinates leaves the minimum where it is and halves the passes it takes to get there.

    Args:
        data: the samples.
        spectrum: of these features or of ones like them.
    """

    def __init__(self, data: LabelledRows, spectrum: Spectrum) -> None:
        self._data = data
        self._spectrum = spectrum
        features, num_labels = data.features, data.num_labels
        counts = torch.zeros(num_labels, device=features.device).index_add_(0, data.labels, data.weights)
        self._weight = torch.zeros(num_labels, features.shape[1], device=features.device)  # (C, D)
        self._bias = torch.log(counts) - torch.log(counts).mean()  # (C,)

    def solve(self, penalty: float, max_passes: int) -> Weights:
        """See :class:`Solver`."""
        data, n, ridge = self._data, len(self._data.features), penalty / len(self._data.features)
        inverse, root = self._spectrum.preconditioner(data.num_labels, ridge)
        inputs = data.features @ inverse  # (n, D)
        bias_scale = math.sqrt(data.num_labels)
        weight = torch.nn.Parameter(self._weight @ root)  # (C, D)
        bias = torch.nn.Parameter(self._bias / bias_scale)  # (C,)
        passes = 0

        @torch.no_grad()
        def closure() -> float:
            nonlocal passes
            passes += 1
            z = torch.addmm(bias * bias_scale, inputs, weight.T)  # (n, C)
            normaliser = z.logsumexp(1)  # (n,)
            right = z[data.rows, data.labels] @ data.weights
            plain = weight @ inverse  # (C, D) in the features' own coordinates
            loss = (normaliser.double().sum() - right) / n + ridge / 2 * plain.square().sum()
            error = z.sub_(normaliser[:, None]).exp_()  # (n, C) probabilities, less the target's:
            error.index_put_((data.rows, data.labels), -data.weights, accumulate=True)
            weight.grad = error.T @ inputs / n + ridge * (plain @ inverse)
            bias.grad = error.sum(0) * (bias_scale / n)
            return float(loss)

        optimizer: torch.optim.Optimizer = torch.optim.LBFGS(
            [weight, bias],
            max_iter=max_passes,
            max_eval=max_passes,
            tolerance_grad=GRADIENT_TOLERANCE,
            tolerance_change=LOSS_TOLERANCE,
            history_size=10,
            line_search_fn="strong_wolfe",
        )
        optimizer.step(closure)
        self._weight, self._bias = weight.detach() @ inverse, bias.detach() * bias_scale
        return Weights(self._weight, self._bias, passes)
