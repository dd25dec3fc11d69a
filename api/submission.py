"""From a request to a queued experiment: everything it refers to is checked before its row exists."""

from dataclasses import replace

from sqlalchemy.orm import Session

from api.errors import invalid, located
from api.experiment_config import dump_config, resolve_config
from api.references import dataset_in_body, model_in_body
from api.schemas.experiments import NewExperiment
from api.services import Services
from db import experiments
from db.datasets import READY
from db.publisher import announce
from db.tables import Experiment
from sip_model.experiments.config import ClassifyConfig, EvaluateConfig, ModelChoice, TrainConfig
from sip_model.experiments.kinds import KindConfig


def submit_experiment(services: Services, wanted: NewExperiment) -> Experiment:
    """Commit the experiment, then wake a worker; the row alone is the promise.

    Raises:
        InvalidRequestError: unknown kind, or a config field that can't be used.
        NoSuchResourceError: the dataset or model isn't there.
    """
    config = resolve_config(wanted.kind, wanted.config)
    if isinstance(config, TrainConfig) and config.identifier.features != "lexical":
        with located("body", "config"):
            services.catalog.check(config.backbone)
    with services.database.session() as session:
        dataset = dataset_in_body(session, wanted.dataset)
        if dataset.status != READY:
            raise invalid(("body", "dataset"), "a dataset that is ready", f"one that is {dataset.status}")
        config, model_id, backbone_id = _with_model(session, config)
        row = experiments.add(
            session,
            experiments.NewExperiment(
                kind=wanted.kind,
                name=wanted.name,
                config=dump_config(wanted.kind, config),
                seed=wanted.seed,
                dataset_id=dataset.id,
                model_id=model_id,
                backbone_id=backbone_id,
            ),
        )
    announce(services.database, services.settings.require_broker_url(), [row.id])
    return row


def _with_model(session: Session, config: KindConfig) -> tuple[KindConfig, str | None, str | None]:
    """The config with its model resolved to an id, that id, and the id of the backbone that is read."""
    match config:
        case TrainConfig():
            return config, None, config.backbone.id if config.identifier.features != "lexical" else None
        case EvaluateConfig(evaluate=choice):
            model_id = _model_id(session, choice, "evaluate")
            return replace(config, evaluate=ModelChoice(model=model_id)), model_id, None
        case ClassifyConfig(classify=choice):
            model_id = _model_id(session, choice, "classify")
            return replace(config, classify=ModelChoice(model=model_id)), model_id, None


def _model_id(session: Session, choice: ModelChoice, block: str) -> str:
    return model_in_body(session, choice.model, ("body", "config", block, "model")).id
