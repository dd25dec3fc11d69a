"""From texts to source distributions, with a model loaded from its folder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.dtypes import resolve_device
from sip_model.backbones.extract import extract_features
from sip_model.backbones.extraction import Extraction
from sip_model.backbones.load import Backbone
from sip_model.backbones.state_store import StateStore
from sip_model.backbones.token_cache import text_slices
from sip_model.backbones.token_states import extract_token_states
from sip_model.backbones.trainable import with_weights
from sip_model.errors import ArtifactError
from sip_model.identifiers.answers import Scored
from sip_model.identifiers.artifact import Artifact, BackboneReading, load_artifact
from sip_model.identifiers.token_identifier import TokenIdentifier
from sip_model.identifiers.token_rows import TokenRows
from sip_model.identifiers.unknown import DEFAULT_UNKNOWN_PRIOR
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
        read = self._read_texts(texts)
        prior = DEFAULT_UNKNOWN_PRIOR if unknown_prior is None else unknown_prior
        answers = self.artifact.identifier.judgement(read.scored, prior)
        return Distributions(
            answers.probabilities,
            expit(read.scored.logits),
            answers.unknown,
            answers.known,
            read.truncated,
            read.num_tokens,
        )

    def _read_texts(self, texts: Sequence[str]) -> "_Read":
        identifier, reading = self.artifact.identifier, self.artifact.reading
        if isinstance(identifier, TokenIdentifier):
            if self.backbone is None or reading is None:
                raise ArtifactError(("backbone",), "the backbone of a token-level identifier", "none")
            return _read_tokens(identifier, self.backbone, reading, texts)
        if self.backbone is None or reading is None:
            return _Read(identifier.scored(texts, None), np.zeros(len(texts), dtype=np.bool_), 0)
        extraction = _read(self.backbone, reading, texts)
        features = extraction.features.reshape(len(texts), math.prod(extraction.features.shape[1:]))
        return _Read(
            identifier.scored(texts, features), extraction.truncated, int(extraction.num_tokens.sum())
        )


class _Read(NamedTuple):
    """What reading n texts came to."""

    scored: Scored
    truncated: npt.NDArray[np.bool_]
    """(n,)"""
    num_tokens: int


def _read_tokens(
    identifier: TokenIdentifier, backbone: Backbone, reading: BackboneReading, texts: Sequence[str]
) -> _Read:
    """Logits of texts by a token-level identifier, some texts at a time."""
    logits = [np.zeros((0, len(identifier.sources)))]
    truncated = [np.zeros(0, dtype=np.bool_)]
    num_tokens = 0
    for taken in text_slices(texts):
        states = extract_token_states(backbone, taken, reading.layers[0], reading.max_tokens)
        rows = TokenRows(StateStore.in_memory(states), identifier.ngram)
        logits.append(identifier.passage_logits(rows, np.arange(len(taken))))
        truncated.append(states.truncated)
        num_tokens += states.num_tokens
    return _Read(identifier.scored(np.concatenate(logits)), np.concatenate(truncated), num_tokens)


def _read(backbone: Backbone, reading: BackboneReading, texts: Sequence[str]) -> Extraction:
    return extract_features(backbone, texts, reading.layers, reading.pooling, reading.max_tokens)
