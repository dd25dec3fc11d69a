"""From one-versus-all logits to calibrated probabilities of the known sources."""

import math
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit, logit, softmax
from sklearn.isotonic import IsotonicRegression
from torch.nn.functional import softplus

from sip_model.identifiers.minimum import minimum
from sip_model.identifiers.positives import Positives

CalibrationMethod = Literal["temperature", "temperature_and_bias", "isotonic"]
METHODS: tuple[CalibrationMethod, ...] = ("temperature", "temperature_and_bias", "isotonic")

MIN_CHOICE_SAMPLES = 100
"""With fewer samples nothing but the temperature is fitted."""
NUM_FOLDS = 3
"""Of the cross-validation that chooses the method."""
LOG_TEMPERATURES = (math.log(0.05), math.log(20))
SLOPES = (0.0, 20.0)
BIASES = (-20.0, 20.0)
SMALLEST = 1e-9
"""Probabilities nearer to 0 or 1 are taken for this far from it."""
TIE_MARGIN = 1e-9
"""By this share the first source stays ahead of the second."""

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A map fitted on the calibration part: given that some known source is right, which.

    First ``softmax(z / T)``. Then its highest probability may be moved to what such predictions were worth;
    the others share the rest as before, and none of them gets ahead.
    """

    method: CalibrationMethod
    """`temperature`: nothing is moved; `temperature_and_bias`: the highest probability's log-odds are scaled
    and shifted; `isotonic`: a rising function of the highest probability."""
    temperature: float
    """T"""
    slope: float = 1.0
    bias: float = 0.0
    """Of `temperature_and_bias`: ``p ↦ σ(slope · logit p + bias)``."""
    knots: tuple[float, ...] = ()
    """Of `isotonic`: probabilities between which the function runs straight, rising."""
    levels: tuple[float, ...] = ()
    """Its values there, rising."""

    @classmethod
    def fit(cls, logits: Array, positives: Positives) -> Self:
        """Fit every method on logits (n, C) of samples used for nothing else, and keep the one with the
        smallest negative log-likelihood in cross-validation; the next less plain one must gain a nat, over
        all samples together."""
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
        return cls.fit_method(
            min(METHODS, key=lambda method: losses[method] + METHODS.index(method)), logits, positives
        )

    @classmethod
    def fit_method(cls, method: CalibrationMethod, logits: Array, positives: Positives) -> Self:
        """Fit one method on logits (n, C)."""
        z = torch.from_numpy(np.asarray(logits, dtype=np.float64))
        (log_temperature,) = minimum(
            lambda point: _loss((z / point[0].exp()).log_softmax(dim=1), positives), [0.0], [LOG_TEMPERATURES]
        ).tolist()
        plain = cls(method="temperature", temperature=math.exp(log_temperature))
        if method == "temperature":
            return plain
        probabilities = plain(logits)
        first = probabilities.argmax(axis=1)
        highest, right = probabilities.max(axis=1), positives.mark(first[:, None])[:, 0]
        if method == "temperature_and_bias":
            slope, bias = _fit_line(highest, right)
            return replace(plain, method=method, slope=slope, bias=bias)
        knots, levels = _fit_isotonic(highest, right)
        return replace(plain, method=method, knots=knots, levels=levels)

    def __call__(self, logits: Array) -> Array:
        """Logits (n, C) -> probabilities (n, C); a row sums to 1."""
        probabilities = np.asarray(softmax(logits / self.temperature, axis=1))
        if self.method == "temperature":
            return probabilities
        rows, first = np.arange(len(probabilities)), probabilities.argmax(axis=1)
        highest = probabilities[rows, first]
        moved = (
            expit(self.slope * _log_odds(highest) + self.bias)
            if self.method == "temperature_and_bias"
            else np.interp(highest, self.knots, self.levels)
        )
        probabilities[rows, first] = 0
        rest, second = probabilities.sum(axis=1), probabilities.max(axis=1)
        smallest = np.finfo(np.float64).tiny
        # where the second source would draw level with the first
        lowest = second / np.maximum(rest + second, smallest) * (1 + TIE_MARGIN)
        # what is taken from the first source needs others to go to
        moved = np.where(rest > smallest, np.maximum(moved, np.minimum(lowest, 1.0)), 1.0)
        probabilities *= ((1 - moved) / np.maximum(rest, smallest))[:, None]
        probabilities[rows, first] = moved
        return probabilities


def _log_odds(probabilities: Array) -> Array:
    return np.asarray(logit(np.clip(probabilities, SMALLEST, 1 - SMALLEST)))


def _fit_line(highest: Array, right: BoolArray) -> tuple[float, float]:
    """Slope and bias of the log-odds of being right over those of the highest probability, (n,) each."""
    x = torch.from_numpy(_log_odds(highest))
    signs = torch.from_numpy(np.where(right, 1.0, -1.0))
    slope, bias = minimum(
        lambda point: softplus(-signs * (point[0] * x + point[1])).mean(), [1.0, 0.0], [SLOPES, BIASES]
    ).tolist()
    return slope, bias


def _fit_isotonic(highest: Array, right: BoolArray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Knots and levels of the isotonic regression of being right on the highest probability, (n,) each.

    It follows every step of its sample, so that a little of the identity is mixed in.
    """
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(highest, right)
    knots = np.unique(np.concatenate([[0.0, 1.0], fitted.X_thresholds_]))
    share = len(highest) ** -0.5
    levels = (1 - share) * fitted.predict(knots) + share * knots
    return tuple(knots.tolist()), tuple(levels.tolist())


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


def negative_log_likelihood(probabilities: Array, positives: Positives) -> float:
    """Mean over n samples of −log of the right sources' probability together, (n, C), in nats."""
    rows, columns = positives.pairs(np.arange(len(positives)))
    mass = np.zeros(len(positives))
    np.add.at(mass, rows, probabilities[rows, columns])
    return float(-np.log(np.maximum(mass, np.finfo(np.float64).tiny)).mean())
