"""The one place that says which experiment kinds exist."""

from dataclasses import dataclass
from typing import Literal

from sip_model.experiments.config import ClassifyConfig, EvaluateConfig, TrainConfig

KindConfig = TrainConfig | EvaluateConfig | ClassifyConfig


@dataclass(frozen=True, slots=True)
class Kind:
    """An experiment kind: its name in the API and its configuration class."""

    name: str
    config: type[KindConfig]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("train", TrainConfig),
        Kind("evaluate", EvaluateConfig),
        Kind("classify", ClassifyConfig),
    )
}


def queue_of(config: KindConfig) -> Literal["gpu", "cpu"]:
    """Where an experiment runs best: ``cpu`` where it reads no language model, else ``gpu``.

    What evaluates or classifies reads whatever its model reads, which its config doesn't say.
    """
    reads_none = isinstance(config, TrainConfig) and config.identifier.features == "lexical"
    return "cpu" if reads_none else "gpu"
