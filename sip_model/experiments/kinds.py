"""The one place that says which experiment kinds exist."""

from sip_model.experiments.classify import ClassifyConfig
from sip_model.experiments.duplicates import DuplicatesConfig
from sip_model.experiments.evaluate import EvaluateConfig
from sip_model.experiments.features import FeaturesConfig
from sip_model.experiments.geometry import GeometryConfig
from sip_model.experiments.ingest import IngestConfig
from sip_model.experiments.kind_config import KindConfig
from sip_model.experiments.perplexity import PerplexityConfig
from sip_model.experiments.pretrain import PretrainConfig
from sip_model.experiments.probe import ProbeConfig
from sip_model.experiments.suite import SuiteConfig
from sip_model.experiments.train import TrainConfig

KINDS: dict[str, type[KindConfig]] = {
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
    "classify": ClassifyConfig,
    "geometry": GeometryConfig,
    "probe": ProbeConfig,
    "features": FeaturesConfig,
    "duplicates": DuplicatesConfig,
    "suite": SuiteConfig,
    "pretrain": PretrainConfig,
    "perplexity": PerplexityConfig,
}
"""A kind's name in the API and its configuration class; ``worker/jobs/<kind>.py`` runs it."""

INGEST = "ingest"
INTERNAL_KINDS: dict[str, type[KindConfig]] = {INGEST: IngestConfig}
"""Kinds that no request names: `POST /datasets` starts an import."""
