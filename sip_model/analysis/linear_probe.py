"""The linear probe: logistic regression, its penalty chosen on the validation part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sip_model.analysis.description_length import code_lengths
from sip_model.analysis.logistic_solvers import (
    LabelledRows,
    SklearnSolver,
    Solver,
    Spectrum,
    TorchSolver,
    Weights,
)
from sip_model.analysis.probe_rows import Array, ProbeRows
from sip_model.experiments.probe import Solver as SolverName
from sip_model.identifiers.positives import IntArray
from sip_model.identifiers.threads import one_thread

# Samples x features x labels up to which scikit-learn takes a second or two for all penalties.
SKLEARN_MULTIPLICATIONS = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class LinearProbe:
    """``softmax(x Wᵀ + b)`` over the labels of its training samples."""

    weights: Weights
    labels: IntArray
    """(C',) the labels its outputs stand for."""
    num_labels: int
    """C"""
    penalty: float

    def probabilities(self, features: torch.Tensor) -> Array:
        """(n, D) -> (n, C)."""
        z = torch.addmm(self.weights.bias, features, self.weights.weight.T)  # (n, C')
        found = np.zeros((len(features), self.num_labels))
        found[:, self.labels] = z.double().softmax(1).cpu().numpy()
        return found


def fit_linear_probe(
    train: ProbeRows,
    validation: ProbeRows,
    penalties: Sequence[float],
    *,
    max_passes: int,
    solver: SolverName = "auto",
    spectrum: Spectrum | None = None,
) -> LinearProbe:
    """Fit with one penalty after the other, each from where the one before ended; stop once the labels of the
    validation part take more bits, and keep the probe that took the fewest.

    Args:
        train: standardised samples to learn from.
        validation: samples that choose the penalty; may be empty for a single one.
        penalties: falling, on the summed loss, see :mod:`sip_model.analysis.logistic_solvers`.
        max_passes: per penalty.
        solver: `auto`: scikit-learn for small problems on a CPU, else torch.
        spectrum: of features like these, where it is known already.
    """
    labels, numbers = np.unique(train.positives.indices, return_inverse=True)
    with one_thread():
        chosen = _solver(train, labels, numbers, solver, spectrum)
        best, fewest = None, float("inf")
        for penalty in penalties:
            probe = LinearProbe(chosen.solve(penalty, max_passes), labels, train.num_labels, penalty)
            if len(penalties) == 1:
                return probe
            probabilities = probe.probabilities(validation.features)
            bits = float(code_lengths(probabilities, validation.positives, len(train)).mean())
            if bits >= fewest:
                break
            best, fewest = probe, bits
    assert best is not None
    return best


class _SingleLabel:
    """Nothing to solve: all samples have the same one label."""

    def __init__(self, features: torch.Tensor) -> None:
        self._features = features

    def solve(self, penalty: float, max_passes: int) -> Weights:
        return Weights(self._features.new_zeros(1, self._features.shape[1]), self._features.new_zeros(1), 0)


def _solver(
    train: ProbeRows, labels: IntArray, numbers: IntArray, name: SolverName, spectrum: Spectrum | None
) -> Solver:
    features = train.features
    if len(labels) == 1:
        return _SingleLabel(features)
    index = train.positives.index(np.arange(len(train)), features.device)
    data = LabelledRows(
        features, index.rows, torch.from_numpy(numbers).to(features.device), index.weights, len(labels)
    )
    is_small = features.device.type == "cpu" and features.numel() * len(labels) <= SKLEARN_MULTIPLICATIONS
    if name == "sklearn" or (name == "auto" and is_small):
        return SklearnSolver(data)
    return TorchSolver(data, spectrum or Spectrum.of(features))
