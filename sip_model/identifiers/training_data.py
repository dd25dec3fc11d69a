"""What an identifier is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.positives import IntArray, Positives

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """m texts that stand in no source of the corpus and are of another kind than it: examples of unknown."""

    texts: Sequence[str]
    features: FloatArray | None
    """(m, D), read as those of the samples; None for a lexical identifier."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """n samples of C sources, and which of them may be used for what."""

    texts: Sequence[str]
    features: FloatArray | None
    """(n, D) backbone features, the layers side by side; None for a lexical identifier."""
    positives: Positives
    sources: tuple[str, ...]
    train: IntArray
    """Row numbers that are learned from."""
    validation: IntArray
    """Row numbers that decide when to stop, how members add up and what is a sign of unknown; then they are
    learned from too."""
    calibration: IntArray
    """Row numbers that the calibration and the operating point are fitted on."""
    background: Background | None = None

    def texts_of(self, rows: IntArray) -> list[str]:
        """The texts of some samples."""
        return [self.texts[row] for row in rows.tolist()]

    def features_of(self, rows: IntArray) -> FloatArray | None:
        """The features of some samples."""
        return None if self.features is None else self.features[rows]
