"""What a report is made of: an experiment's children, their values and coordinates. Knows no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sip_model.figures.rows import Setting, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneInfo:
    """One backbone of the study."""

    name: str
    """As in `Value.backbone`."""
    num_parameters: int | None = None
    """Without token embeddings."""
    causal: bool | None = None
    """False for encoders, which have no perplexity."""
    pretraining_seeds: tuple[int, ...] = ()
    """Where it was pre-trained here, once per seed: `Value.seed` then says which of them was measured."""
    checkpoint_of: str | None = None
    """For an intermediate checkpoint: the name of the final one."""
    checkpoint_step: int | None = None
    """For an intermediate checkpoint."""
    revision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """One corpus of the study."""

    name: str
    """As in `Value.dataset`."""
    sha256: str
    num_documents: int | None = None
    num_sources: int | None = None
    labels: str | None = None
    """What a label is: `documents`, `categories`, `products`, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One experiment of the study."""

    experiment: str
    """Its id."""
    kind: str
    backbone: str | None
    dataset: str | None
    seed: int | None
    status: str
    """`succeeded`, `failed`, `cancelled`, …"""
    error: str | None = None
    num_parameters: int | None = None
    varied: tuple[tuple[str, Setting], ...] = ()
    split_sha256: str | None = None
    """Hash of which sample stands in which part."""
    artifacts: tuple[str, ...] = ()
    """Names of the files it left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """The low-dimensional distribution of one backbone on one corpus."""

    backbone: str
    """As in `Value.backbone`."""
    dataset: str
    """As in `Value.dataset`."""
    seed: int
    """Of the experiment; the file's own column `seed` numbers the draws within it."""
    path: Path
    """Parquet as kind `geometry` leaves it: layer, classes, seed, source, document, split, x, y,
    projection."""
    num_parameters: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A whole matrix of experiments, as far as it has come."""

    title: str
    preset: str | None
    experiment: str
    """Id of the experiment the report belongs to."""
    config: Mapping[str, object]
    """Resolved; holds what JSON can."""
    children: Sequence[Child]
    rows: Sequence[Value]
    coordinates: Sequence[Coordinates] = ()
    backbones: Sequence[BackboneInfo] = ()
    datasets: Sequence[DatasetInfo] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """Library to version."""
    hardware: Mapping[str, str] = field(default_factory=dict)
    """For example device, CPU, memory, as shown."""
    notes: Sequence[str] = ()
    """What else a reader must know: what can't be had, what was replaced."""
    artifacts: Sequence[str] = ()
    """Names of further files that lie beside the report, to link to."""

    @property
    def encoders(self) -> frozenset[str]:
        """Names of the backbones that have no perplexity."""
        return frozenset(backbone.name for backbone in self.backbones if backbone.causal is False)

    @property
    def main_rows(self) -> list[Value]:
        """The rows of the matrix itself: nothing varied by a preset, no intermediate checkpoint."""
        checkpoints = {info.name for info in self.backbones if info.checkpoint_of is not None}
        return [row for row in self.rows if not row.varied and row.backbone not in checkpoints]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file of the report."""

    name: str
    path: Path
    media_type: str
