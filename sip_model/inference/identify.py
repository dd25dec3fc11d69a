"""From texts to source distributions, with a model loaded from its folder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from scipy.special import expit

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.dtypes import resolve_device
from sip_model.backbones.extract import extract_features
from sip_model.backbones.extraction import Extraction
from sip_model.backbones.load import Backbone
from sip_model.backbones.trainable import with_weights
from sip_model.identifiers.artifact import Artifact, BackboneReading, load_artifact
from sip_model.identifiers.calibration import DEFAULT_UNKNOWN_PRIOR
from sip_model.inference.distributions import Distributions


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A trained identifier with the backbone it reads."""

    artifact: Artifact
    backbone: Backbone | None
    """None for an identifier that reads n-grams only."""

    @classmethod
    def load(cls, folder: Path, catalog: BackboneCatalog, device: str) -> Self:
        """Load a model and the very backbone it was trained on, with the weights that training gave it.

        Args:
            folder: the model's files.
            catalog: where its backbone comes from.
            device: ``auto`` or a torch device.

        Raises:
            ArtifactError: the files are damaged, or their tuned weights fit no weights of the backbone.
            BackboneError: the backbone is no longer allowed, not here, or of another content.
        """
        resolved = resolve_device(device)
        artifact = load_artifact(folder, resolved)
        reading = artifact.reading
        backbone = None
        if reading is not None:
            backbone = catalog.load(reading.id, reading.revision, resolved, reading.dtype)
            backbone = with_weights(backbone, artifact.tuned)
        return cls(artifact, backbone)

    @property
    def sources(self) -> tuple[str, ...]:
        """C names, in the order of the distributions."""
        return self.artifact.identifier.sources

    def classify(self, texts: Sequence[str], *, unknown_prior: float | None = None) -> Distributions:
        """The source distribution of every text.

        Args:
            texts: n texts, none blank.
            unknown_prior: share of texts from no known source, 0 to 1; None: 0.05.
        """
        features, truncated, num_tokens = None, np.zeros(len(texts), dtype=np.bool_), 0
        if self.backbone is not None and self.artifact.reading is not None:
            extraction = _read(self.backbone, self.artifact.reading, texts)
            features = extraction.features.reshape(len(texts), math.prod(extraction.features.shape[1:]))
            truncated, num_tokens = extraction.truncated, int(extraction.num_tokens.sum())
        identifier = self.artifact.identifier
        logits = identifier.logits(texts, features)
        prior = DEFAULT_UNKNOWN_PRIOR if unknown_prior is None else unknown_prior
        probabilities, unknown = identifier.calibration.distribution(logits, prior)
        return Distributions(probabilities, expit(logits), unknown, truncated, num_tokens)


def _read(backbone: Backbone, reading: BackboneReading, texts: Sequence[str]) -> Extraction:
    return extract_features(backbone, texts, reading.layers, reading.pooling, reading.max_tokens)
