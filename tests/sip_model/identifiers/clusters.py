"""Made-up samples whose sources can be told apart."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sip_model.identifiers.positives import IntArray, Positives
from sip_model.identifiers.training_data import TrainingData


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """n points around C centres, one source each."""

    features: npt.NDArray[np.float32]
    """(n, D)"""
    labels: IntArray
    """(n,)"""
    positives: Positives

    def rows(self, remainders: tuple[int, ...], of: int = 5) -> IntArray:
        """The rows whose position within their source leaves one of these remainders."""
        position = np.arange(len(self.labels)) // (self.labels.max() + 1)
        return np.flatnonzero(np.isin(position % of, remainders))


def make_clusters(
    num_sources: int, per_source: int, num_features: int, *, spread: float = 1.0, seed: int = 0
) -> Clusters:
    """Points of standard normal centres with normal scatter, the sources taking turns."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(num_sources, num_features))
    labels = np.tile(np.arange(num_sources), per_source)
    features = centres[labels] + spread * generator.normal(size=(len(labels), num_features))
    return Clusters(features.astype(np.float32), labels, one_each(labels))


def one_each(labels: IntArray) -> Positives:
    """One right source per sample."""
    return Positives.from_lists([np.array([label]) for label in labels.tolist()])


def dense(positives: Positives, num_sources: int) -> torch.Tensor:
    """The multi-hot target (n, C) that the losses never build."""
    target = torch.zeros(len(positives), num_sources)
    rows, sources = positives.pairs(np.arange(len(positives)))
    target[torch.from_numpy(rows), torch.from_numpy(sources)] = 1
    return target


def make_training_data(num_sources: int = 4, per_source: int = 30, *, spread: float = 1.5) -> TrainingData:
    """Samples with a text of their source's favourite words and features around its centre."""
    clusters = make_clusters(num_sources, per_source, 8, spread=spread)
    generator = np.random.default_rng(1)
    texts = [
        " ".join(
            f"w{label if generator.random() < 0.4 else number}x" for number in generator.integers(20, size=8)
        )
        for label in clusters.labels.tolist()
    ]
    return TrainingData(
        texts=texts,
        features=clusters.features,
        positives=clusters.positives,
        sources=tuple(f"source {number}" for number in range(num_sources)),
        train=clusters.rows((0, 1, 2)),
        validation=clusters.rows((3,)),
        calibration=clusters.rows((4,)),
    )
