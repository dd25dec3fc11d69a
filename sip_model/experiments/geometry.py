"""Configuration of the kind `geometry`."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from sip_model.experiments.config import (
    BLOCK,
    BackboneConfig,
    ChunkConfig,
    LayerChoice,
    SourcesConfig,
    SplitConfig,
    require,
)
from sip_model.experiments.kind_config import KindConfig, Place, Reading

ProjectionName = Literal["pca", "lda", "raw", "bottleneck", "umap"]
AUTHOR = "author"
MAX_CLASSES = 8
"""Classes that a figure can tell apart by marker and shade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeometryBlock:
    """What is measured of the hidden states, and drawn."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    layers: LayerChoice = "all"
    """`last`; `auto` (four evenly spaced ones, embeddings and last included); `all`; or layer numbers
    (0 = embeddings, L = last). Each is measured by itself."""
    classes: tuple[int, ...] = (3, 4)
    """Sources in a panel of the low-dimensional distribution, one series of panels per number; an empty list
    draws none."""
    chunks_per_class: int = 100
    """Chunks drawn of each source of a panel, where it has as many."""
    seeds: int = 6
    """Panels of a series; each draws its sources and chunks anew."""
    projection: ProjectionName = "pca"
    """How the two dimensions come about: `pca` of the training part; `lda` or `bottleneck` (a linear map to
    two units, trained with cross-entropy) of the training chunks of the panel's sources; `raw`, the first two
    dimensions; or `umap` of the training part (needs the extra `umap`)."""
    category: str = AUTHOR
    """What groups similar sources: `author`, or another field of the corpus on which all documents of a
    source agree, such as `genre` (of a list the first entry counts)."""
    max_samples: int = 10_000
    """Chunks that silhouettes are computed on at most, drawn evenly from the sources."""
    permutations: int = 100
    """Random labelings that a silhouette or correlation is compared with; 0: none."""

    def __post_init__(self) -> None:
        if isinstance(self.layers, tuple):
            require(0 < len(self.layers) <= 64, "layers: expected 1 to 64 layer numbers")
            require(min(self.layers) >= 0, f"layers: expected numbers from 0, found {min(self.layers)}")
            require(len(set(self.layers)) == len(self.layers), "layers: expected each layer once")
        for number in self.classes:
            require(2 <= number <= MAX_CLASSES, f"classes: expected 2 to {MAX_CLASSES}, found {number}")
        require(len(set(self.classes)) == len(self.classes), "classes: expected each number once")
        for name, low, high in (
            ("chunks_per_class", 2, 10_000),
            ("seeds", 1, 100),
            ("max_samples", 10, 200_000),
            ("permutations", 0, 10_000),
        ):
            value = getattr(self, name)
            require(low <= value <= high, f"{name}: expected {low} to {high}, found {value}")
        require(0 < len(self.category) <= 200, "category: expected 1 to 200 characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class GeometryConfig(KindConfig):
    """Kind `geometry`: do a backbone's hidden states group by source, and sources by author or category?"""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    geometry: GeometryBlock = field(default_factory=GeometryBlock)

    def __post_init__(self) -> None:
        require(
            self.backbone.layers == "last",
            "backbone.layers: expected none, since geometry.layers says which layers are measured",
        )

    @property
    def measured(self) -> BackboneConfig:
        """The backbone with the layers that are measured."""
        return replace(self.backbone, layers=self.geometry.layers)

    def backbones(self) -> tuple[Place, ...]:
        """The one whose hidden states are measured."""
        return (Place(("backbone",), self.measured),)

    def reading(self) -> Reading:
        """The chunks' hidden states."""
        return Reading(self.measured, self.chunk, self.sources)
