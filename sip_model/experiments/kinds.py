"""The one place that says which experiment kinds exist."""

from dataclasses import dataclass

from sip_model.experiments.config import ClassifyConfig, EvaluateConfig, TrainConfig

KindConfig = TrainConfig | EvaluateConfig | ClassifyConfig


@dataclass(frozen=True, slots=True)
class Kind:
    """An experiment kind: its name in the API, its configuration class and what it leaves behind."""

    name: str
    config: type[KindConfig]
    leaves: str


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("train", TrainConfig, "a model, metrics, predictions"),
        Kind("evaluate", EvaluateConfig, "metrics, a per-source table, predictions"),
        Kind("classify", ClassifyConfig, "a result table to page or download"),
    )
}
