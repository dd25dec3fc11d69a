"""Configuration of the kind `probe`."""

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

ProbeName = Literal["linear", "nonlinear"]
Solver = Literal["auto", "sklearn", "torch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOptions:
    """What is probed, and with what budget.

    Both probes pass at most `max_passes` times over the training part per fit, and both look at the
    validation part, and nothing else, to stop: the linear one along its `penalties`, the nonlinear one along
    its epochs.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    layers: LayerChoice | None = None
    """`last`, `auto`, `all` or layer numbers, each probed on its own; null: those of `backbone.layers`."""
    probes: tuple[ProbeName, ...] = ("linear", "nonlinear")
    """`linear`: multinomial logistic regression; `nonlinear`: one hidden layer of ReLUs."""
    control: bool = True
    """Probe for random labels of words too (control task); selectivity = accuracy − control accuracy."""
    description_length: bool = True
    """Measure the prequential code length of the training part's labels (MDL probing)."""
    seeds: int = 3
    """Runs with other control labels, initial weights and orders of the samples; the linear probe of the real
    labels has one solution, whatever the seed."""
    penalties: tuple[float, ...] = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
    """L2 penalties of the linear probe, falling: the weight of half the squared norm against the *summed*
    loss, 1 / `C` of scikit-learn. They are tried in order until the validation part is coded worse."""
    solver: Solver = "auto"
    """Of the linear probe: scikit-learn, or L-BFGS on the device; `auto`: scikit-learn for small problems on
    a CPU. Both minimise the same function."""
    hidden: int = 128
    """Width of the nonlinear probe's hidden layer."""
    max_passes: int = 100
    """Passes over the training part per fit at most: L-BFGS evaluations, or epochs."""
    patience: int = 3
    """Epochs without a better validation loss before the nonlinear probe stops."""
    batch_size: int = 128
    """Samples per step of the nonlinear probe."""
    learning_rate: float = 1e-3
    """Adam's step size for the nonlinear probe."""

    def __post_init__(self) -> None:
        if isinstance(self.layers, tuple):
            require(0 < len(self.layers) <= 64, "layers: expected 1 to 64 layer numbers")
            require(min(self.layers) >= 0, f"layers: expected numbers from 0, found {min(self.layers)}")
            require(len(set(self.layers)) == len(self.layers), "layers: expected each layer once")
        require(len(self.probes) > 0, "probes: expected at least one")
        require(len(set(self.probes)) == len(self.probes), "probes: expected each probe once")
        require(1 <= self.seeds <= 100, f"seeds: expected 1 to 100, found {self.seeds}")
        require(0 < len(self.penalties) <= 32, "penalties: expected 1 to 32 numbers")
        require(all(1e-6 <= p <= 1e9 for p in self.penalties), "penalties: expected numbers from 1e-6 to 1e9")
        falls = all(a > b for a, b in zip(self.penalties, self.penalties[1:], strict=False))
        require(falls, "penalties: expected falling numbers")
        require(1 <= self.hidden <= 16_384, f"hidden: expected 1 to 16384, found {self.hidden}")
        require(1 <= self.max_passes <= 10_000, f"max_passes: expected 1 to 10000, found {self.max_passes}")
        require(self.patience >= 1, f"patience: expected 1 or more, found {self.patience}")
        require(1 <= self.batch_size <= 65_536, f"batch_size: expected 1 to 65536, found {self.batch_size}")
        require(0 < self.learning_rate <= 10, f"learning_rate: expected above 0, found {self.learning_rate}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeConfig(KindConfig):
    """Kind `probe`: how well the sources can be read off a backbone's frozen features, layer by layer."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    probe: ProbeOptions = field(default_factory=ProbeOptions)

    @property
    def probed(self) -> BackboneConfig:
        """The backbone with the layers that are probed."""
        layers = self.probe.layers
        return self.backbone if layers is None else replace(self.backbone, layers=layers)

    def backbones(self) -> tuple[Place, ...]:
        """The one whose features are probed."""
        return (Place(("backbone",), self.probed),)

    def reading(self) -> Reading:
        """The chunks' features."""
        return Reading(self.probed, self.chunk, self.sources)
