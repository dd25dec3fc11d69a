"""The one place that says which experiment kinds exist."""

from sip_model.experiments.classify import ClassifyConfig
from sip_model.experiments.evaluate import EvaluateConfig
from sip_model.experiments.kind_config import KindConfig
from sip_model.experiments.perplexity import PerplexityConfig
from sip_model.experiments.pretrain import PretrainConfig
from sip_model.experiments.train import TrainConfig

KINDS: dict[str, type[KindConfig]] = {
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
    "classify": ClassifyConfig,
    "pretrain": PretrainConfig,
    "perplexity": PerplexityConfig,
}
"""A kind's name in the API and its configuration class; ``worker/jobs/<kind>.py`` runs it."""
