"""A suite that is asked for: what it names is checked as far as its children's configurations go."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.orm import Session

from api.errors import InvalidRequestError, field_error, located
from api.experiment_config import resolve_config
from api.services import Services
from db import datasets
from sip_model.backbones.info import BackboneInfo
from sip_model.errors import BackboneError
from sip_model.experiments.config import BackboneConfig
from sip_model.experiments.kind_config import KindConfig
from sip_model.experiments.planning import MADE_BY, plan_children
from sip_model.experiments.suite import SuiteConfig

_CONFIG = ("body", "config")


def with_own_dataset(config: SuiteConfig, dataset: str | None) -> SuiteConfig:
    """The config with the request's `dataset` first among the suite's, unless it is there already."""
    named = config.suite.datasets
    if dataset is None or dataset in named:
        return config
    return replace(config, suite=replace(config.suite, datasets=(dataset, *named)))


def check_plan(services: Services, session: Session, config: SuiteConfig) -> None:
    """Plan the suite as its job will, and check every backbone as an experiment of its own would be.

    Raises `InvalidRequestError` naming what can't be used.
    """
    suite = config.suite
    encoders = {
        backbone
        for place, backbone in enumerate(suite.backbones)
        if isinstance(backbone, str) and _is_encoder(services, place, backbone)
    }
    with located(*_CONFIG):
        children = plan_children(suite, datasets.names(session, suite.datasets), _resolve, encoders)
    checked: set[BackboneConfig] = set()
    for child in children:
        for place in child.config.backbones():
            backbone = place.backbone
            if not backbone.id.startswith(MADE_BY) and backbone not in checked:
                checked.add(backbone)
                _check(services, suite.backbones.index(backbone.id), backbone)


def _is_encoder(services: Services, place: int, backbone: str) -> bool:
    info = _check(services, place, BackboneConfig(id=backbone))
    return info is not None and not info.is_causal


def _check(services: Services, place: int, backbone: BackboneConfig) -> BackboneInfo | None:
    try:
        return services.catalog.check(backbone)
    except BackboneError as error:
        loc = (*_CONFIG, "suite", "backbones", place)
        inner = BackboneError((), error.expected, error.found, error.hint)
        raise InvalidRequestError.of([field_error(loc, inner)]) from error


def _resolve(kind: str, blocks: Mapping[str, Mapping[str, object]]) -> KindConfig:
    return resolve_config(kind, blocks, (*_CONFIG, "suite", "config"))
