"""From texts to vectors: one pooled layer of a backbone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from sip_model.backbones.catalog import BackboneCatalog, check_config
from sip_model.backbones.extract import Forward, extract_features, forward_alone
from sip_model.backbones.info import resolve_max_tokens
from sip_model.backbones.layers import resolve_layers
from sip_model.backbones.load import Backbone
from sip_model.experiments.config import BackboneConfig


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Vectors of n texts."""

    vectors: npt.NDArray[np.float32]
    """(n, D), not normalised."""
    num_tokens: int
    """Tokens read over all texts."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedder:
    """A loaded backbone and the one layer that is read off it."""

    backbone: Backbone
    layer: int
    pooling: str
    max_tokens: int

    @classmethod
    def load(cls, config: BackboneConfig, catalog: BackboneCatalog, device: str) -> Self:
        """Load a backbone.

        Args:
            config: of several layers the deepest is read.
            catalog: where the backbone comes from.
            device: ``auto`` or a torch device.

        Raises:
            BackboneError: not allowed, not to be had, or unable to do what `config` asks.
        """
        return cls.of(catalog.load(config.id, config.revision, device, config.dtype), config)

    @classmethod
    def of(cls, backbone: Backbone, config: BackboneConfig) -> Self:
        """With a backbone that is loaded already.

        Args:
            backbone: the one `config` names, or one with weights of its own.
            config: of several layers the deepest is read.

        Raises:
            BackboneError: it can't do what `config` asks.
        """
        check_config(config, backbone.info)
        layer = max(resolve_layers(config.layers, backbone.info.num_layers))
        return cls(backbone, layer, config.pooling, resolve_max_tokens(config.max_tokens, backbone.info))

    @property
    def num_bytes(self) -> int:
        """Memory of the weights."""
        return self.backbone.num_bytes

    def embed(self, texts: Sequence[str], forward: Forward = forward_alone) -> Embeddings:
        """The vectors of texts, in their order.

        Args:
            texts: n texts.
            forward: reads their tokens.
        """
        found = extract_features(self.backbone, texts, (self.layer,), self.pooling, self.max_tokens, forward)
        return Embeddings(found.features[:, 0], int(found.num_tokens.sum()))
