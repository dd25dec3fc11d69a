"""The one place that says which experiment kinds exist."""

from sip_model.experiments.classify import ClassifyConfig
from sip_model.experiments.evaluate import EvaluateConfig
from sip_model.experiments.features import FeaturesConfig
from sip_model.experiments.kind_config import KindConfig
from sip_model.experiments.suite import SuiteConfig
from sip_model.experiments.train import TrainConfig

KINDS: dict[str, type[KindConfig]] = {
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
    "classify": ClassifyConfig,
    "features": FeaturesConfig,
    "suite": SuiteConfig,
}
"""A kind's name in the API and its configuration class; ``worker/jobs/<kind>.py`` runs it."""
