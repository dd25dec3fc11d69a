"""The one place that says which experiment kinds exist."""

from dataclasses import dataclass

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
