"""From one-versus-all logits to calibrated probabilities of the known sources."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import log_expit, softmax
from sklearn.isotonic import IsotonicRegression
from torch.nn.functional import logsigmoid

from sip_model.identifiers.minimum import Bounds, minimum
from sip_model.identifiers.positives import Positives

CalibrationMethod = Literal["temperature", "temperature_and_bias", "isotonic"]
METHODS: tuple[CalibrationMethod, ...] = ("temperature", "temperature_and_bias", "isotonic")

MIN_CHOICE_SAMPLES = 100
"""With fewer samples nothing but the temperature is fitted."""
NUM_FOLDS = 3
"""Of the cross-validation that chooses the method."""
LOG_TEMPERATURES = (math.log(0.05), math.log(20))
BIASES = (-30.0, 30.0)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A map fitted on the calibration part: given that some known source is right, which."""

    method: CalibrationMethod
    """`temperature`: ``softmax(z / T)``; `temperature_and_bias`: ``σ(z / T + b)``, scaled to the sum 1;
    `isotonic`: a rising function of ``softmax(z / T)``, likewise."""
    temperature: float
    """T"""
    bias: float = 0.0
    """b"""
    knots: tuple[float, ...] = ()
    """Probabilities between which the isotonic function runs straight, rising."""
    levels: tuple[float, ...] = ()
    """Its values there, rising."""

    @classmethod
    def fit(cls, logits: Array, positives: Positives) -> Self:
        """Fit every method on logits (n, C) of samples used for nothing else, and keep the one with the
        smallest negative log-likelihood in cross-validation; the plainer one wins a tie."""
        if len(positives) < MIN_CHOICE_SAMPLES:
            return cls.fit_method("temperature", logits, positives)
        folds = np.arange(len(positives)) % NUM_FOLDS
        losses = dict.fromkeys(METHODS, 0.0)
        for fold in range(NUM_FOLDS):
            inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            for method in METHODS:
                fitted = cls.fit_method(method, logits[inside], positives.take(inside))
                loss = negative_log_likelihood(fitted(logits[outside]), positives.take(outside))
                losses[method] += loss * len(outside)
        return cls.fit_method(min(METHODS, key=lambda method: losses[method]), logits, positives)

    @classmethod
    def fit_method(cls, method: CalibrationMethod, logits: Array, positives: Positives) -> Self:
        """Fit one method on logits (n, C)."""
        z = torch.from_numpy(np.asarray(logits, dtype=np.float64))

        def fitted(
            log_probabilities: Callable[[torch.Tensor], torch.Tensor],
            start: list[float],
            bounds: list[Bounds],
        ) -> list[float]:
            found: list[float] = minimum(
                lambda point: _loss(log_probabilities(point), positives), start, bounds
            ).tolist()
            return found

        (log_temperature,) = fitted(
            lambda point: (z / point[0].exp()).log_softmax(dim=1), [0.0], [LOG_TEMPERATURES]
        )
        if method == "temperature_and_bias":
            log_temperature, bias = fitted(
                lambda point: logsigmoid(z / point[0].exp() + point[1]).log_softmax(dim=1),
                [log_temperature, 0.0],
                [LOG_TEMPERATURES, BIASES],
            )
            return cls(method=method, temperature=math.exp(log_temperature), bias=bias)
        plain = cls(method="temperature", temperature=math.exp(log_temperature))
        if method == "temperature":
            return plain
        knots, levels = _fit_isotonic(plain(logits), positives)
        return cls(method=method, temperature=plain.temperature, knots=knots, levels=levels)

    def __call__(self, logits: Array) -> Array:
        """Logits (n, C) -> probabilities (n, C); a row sums to 1."""
        scaled = logits / self.temperature
        if self.method == "temperature_and_bias":
            return np.asarray(softmax(log_expit(scaled + self.bias), axis=1))
        probabilities = softmax(scaled, axis=1)
        if self.method == "isotonic":
            probabilities = np.interp(probabilities, self.knots, self.levels)
            probabilities /= probabilities.sum(axis=1, keepdims=True)
        return np.asarray(probabilities)


def _loss(log_probabilities: torch.Tensor, positives: Positives) -> torch.Tensor:
    """Mean over samples of −log of the right sources' probability together, of log-probabilities (n, C)."""
    rows, columns = (torch.from_numpy(part) for part in positives.pairs(np.arange(len(positives))))
    right = log_probabilities[rows, columns]  # (P,)
    if len(rows) == len(positives):
        return -right.mean()
    highest = torch.full((len(positives),), -math.inf, dtype=right.dtype)
    highest = highest.scatter_reduce(0, rows, right.detach(), "amax")
    mass = torch.zeros_like(highest).index_add(0, rows, (right - highest[rows]).exp())
    return -(highest + mass.log()).mean()


def _fit_isotonic(probabilities: Array, positives: Positives) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Knots and levels of the isotonic regression of "is right" on the probability of every source, the n · C
    pairs together.

    Where no right source lies it would answer 0 and rank nothing: a little of the identity is mixed in.
    """
    right = np.zeros(probabilities.shape)
    right[positives.pairs(np.arange(len(positives)))] = 1
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(
        probabilities.ravel(), right.ravel()
    )
    knots = np.unique(np.concatenate([[0.0, 1.0], fitted.X_thresholds_]))
    share = 1 / (len(positives) + 1)
    levels = (1 - share) * fitted.predict(knots) + share * knots
    return tuple(knots.tolist()), tuple(levels.tolist())


def negative_log_likelihood(probabilities: Array, positives: Positives) -> float:
    """Mean over n samples of −log of the right sources' probability together, (n, C), in nats."""
    rows, columns = positives.pairs(np.arange(len(positives)))
    mass = np.zeros(len(positives))
    np.add.at(mass, rows, probabilities[rows, columns])
    return float(-np.log(np.maximum(mass, np.finfo(np.float64).tiny)).mean())
