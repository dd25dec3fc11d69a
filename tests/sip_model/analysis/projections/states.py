"""Hidden states to project."""

import numpy as np

from sip_model.analysis.projections import FittingData
from sip_model.analysis.projections.base import FloatArray, IntArray


def make_states(num_samples: int, dimension: int, num_classes: int, seed: int) -> tuple[FloatArray, IntArray]:
    """Classes that differ by their centres, in states with a few strong dimensions that say nothing."""
    generator = np.random.default_rng([seed, num_samples])
    labels = np.arange(num_samples) % num_classes
    centres = np.random.default_rng(0).normal(0, 1, (num_classes, dimension))
    states = centres[labels] + generator.normal(0, 1, (num_samples, dimension))
    strong = min(3, dimension)
    states[:, :strong] += generator.normal(0, 5, (num_samples, strong))
    return states.astype(np.float32), labels


def make_data(
    num_samples: int = 120, dimension: int = 24, num_classes: int = 3, seed: int = 0
) -> FittingData:
    """Training and validation states, centred by the training states' mean."""
    states, labels = make_states(num_samples, dimension, num_classes, seed)
    validation, validation_labels = make_states(30, dimension, num_classes, seed + 1)
    mean = states.mean(axis=0)
    return FittingData(states - mean, labels, validation - mean, validation_labels, num_classes, seed)
