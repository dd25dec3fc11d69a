"""The minimum of a smooth function of few numbers."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize

MAX_ITERATIONS = 200

Bounds = tuple[float | None, float | None]


def minimum(
    objective: Callable[[torch.Tensor], torch.Tensor], start: Sequence[float], bounds: Sequence[Bounds]
) -> torch.Tensor:
    """Where a function of a vector (P,) is smallest, by L-BFGS-B from `start`; float64.

    Args:
        objective: (P,) float64 -> scalar, differentiable.
        start: P numbers.
        bounds: lowest and highest value of each; None: unbounded.
    """

    def value_and_gradient(point: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        parameters = torch.from_numpy(point.copy()).requires_grad_()
        value = objective(parameters)
        (gradient,) = torch.autograd.grad(value, parameters)
        return float(value.detach()), gradient.numpy()

    found = minimize(
        value_and_gradient,
        np.array(start, dtype=np.float64),
        jac=True,
        method="L-BFGS-B",
        bounds=list(bounds),
        options={"maxiter": MAX_ITERATIONS},
    )
    return torch.from_numpy(np.asarray(found.x, dtype=np.float64))
