"""From a request to a queued experiment: everything it refers to is checked before its row exists."""

from sqlalchemy.orm import Session

from api.errors import invalid, located
from api.experiment_config import dump_config, resolve_config
from api.experiments import experiment_resource
from api.idempotency import Wish, make_once
from api.references import dataset_in_body, model_in_body
from api.schemas.experiments import ExperimentResource, NewExperiment
from api.services import Services
from db import experiments
from db.datasets import READY
from db.idempotency import RequestKey
from db.logs import current_request_id
from db.publisher import announce
from db.states import Queue
from db.tables import Experiment
from sip_model.experiments.kind_config import KindConfig


def submit_experiment(
    services: Services, wanted: NewExperiment, key: RequestKey | None
) -> tuple[ExperimentResource, bool]:
    """Commit the experiment, then wake a worker; the row alone is the promise.

    Returns:
        The experiment, and whether an earlier request with this key has made it.

    Raises:
        InvalidRequestError: unknown kind, or a config field that can't be used.
        NoSuchResourceError: the dataset or model isn't there.
    """
    config = resolve_config(wanted.kind, wanted.config)
    for place in config.backbones():
        with located("body", "config", *place.loc[:-1]):
            services.catalog.check(place.backbone)
    wish = Wish.of(key, "POST /experiments", wanted)
    row, replayed = make_once(
        services.database, wish, lambda session: _add(session, wanted, config), experiments.get
    )
    if replayed:
        with services.database.session() as session:
            return experiment_resource(session, row), True
    _wake_worker(services, row)
    return ExperimentResource.of(row, {}, []), False


def retry_experiment(services: Services, experiment_id: str) -> ExperimentResource:
    """Queue a failed or cancelled experiment again, then wake a worker."""
    with services.database.session() as session:
        row = experiments.retry(session, experiment_id)
        resource = experiment_resource(session, row)
    _wake_worker(services, row)
    return resource


def _wake_worker(services: Services, row: Experiment) -> None:
    announce(services.database, services.settings.require_broker_url(), {row.id: Queue(row.queue)})


def _add(session: Session, wanted: NewExperiment, config: KindConfig) -> Experiment:
    dataset = dataset_in_body(session, wanted.dataset)
    if dataset.status != READY:
        found = f"one whose status is {dataset.status}"
        raise invalid(("body", "dataset"), "a dataset that is ready", found, "GET /datasets/{id} says when.")
    config, model_id = _with_model(session, config)
    backbones = config.backbones()
    new = experiments.NewExperiment(
        kind=wanted.kind,
        name=wanted.name,
        config=dump_config(wanted.kind, config),
        seed=wanted.seed,
        dataset_id=dataset.id,
        model_id=model_id,
        backbone_id=backbones[0].backbone.id if backbones else None,
        queue=Queue(config.queue()),
        request_id=current_request_id(),
    )
    return experiments.add(session, new)


def _with_model(session: Session, config: KindConfig) -> tuple[KindConfig, str | None]:
    """The config with its model resolved to an id, and that id."""
    named = config.model()
    if named is None:
        return config, None
    block, name = named
    model_id = model_in_body(session, name, ("body", "config", block, "model")).id
    return config.with_model(model_id), model_id
