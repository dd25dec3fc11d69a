"""From a request to a queued experiment: everything it refers to is checked before its row exists."""

from sqlalchemy.orm import Session

from api.errors import invalid, located
from api.experiment_config import dump_config, resolve_config
from api.experiments import experiment_resource
from api.idempotency import Wish, make_once
from api.planning import check_plan, with_own_dataset
from api.references import dataset_in_body, model_in_body
from api.schemas.experiments import ExperimentResource, NewExperiment
from api.services import Services
from db import backbones, datasets, experiments
from db.idempotency import RequestKey
from db.logs import current_request_id
from db.publisher import announce, announce_relatives
from db.states import Queue
from db.tables import Experiment
from sip_model.backbones.catalog import is_own
from sip_model.backbones.info import require_decoder
from sip_model.experiments.kind_config import KindConfig
from sip_model.experiments.suite import SuiteConfig


def submit_experiment(
    services: Services, wanted: NewExperiment, key: RequestKey | None
) -> tuple[ExperimentResource, bool]:
    """Commit the experiment, then wake a worker; the row alone is the promise.

    Returns:
        The experiment, and whether an earlier request with this key has made it.

    Raises:
        InvalidRequestError: unknown kind, or a config field that can't be used.
        NoSuchResourceError: a dataset or the model isn't there.
    """
    config = resolve_config(wanted.kind, wanted.config)
    if isinstance(config, SuiteConfig):
        config = with_own_dataset(config, wanted.dataset)
    elif wanted.dataset is None:
        raise invalid(("body", "dataset"), "the id or name of a dataset", "nothing")
    for place in config.backbones():
        with located("body", "config", *place.loc[:-1]):
            info = services.catalog.check(place.backbone)
            if place.is_decoder and info is not None:
                require_decoder(info)
    wish = Wish.of(key, "POST /experiments", wanted)
    row, replayed = make_once(
        services.database, wish, lambda session: _add(services, session, wanted, config), experiments.get
    )
    if replayed:
        with services.database.session() as session:
            return experiment_resource(session, row), True
    _wake_worker(services, row)
    return ExperimentResource.of(row, {}, [], None), False


def retry_experiment(services: Services, experiment_id: str) -> ExperimentResource:
    """Queue a failed or cancelled experiment again, then wake workers for it and its children."""
    with services.database.session() as session:
        row = experiments.retry(session, experiment_id)
        resource = experiment_resource(session, row)
    _wake_for_relatives(services, experiment_id)
    return resource


def cancel_experiment(services: Services, experiment_id: str) -> ExperimentResource:
    """Cancel an experiment and its children, then wake workers for what has waited for nothing else."""
    with services.database.session() as session:
        row = experiments.request_cancel(session, experiment_id)
        resource = experiment_resource(session, row)
    _wake_for_relatives(services, experiment_id)
    return resource


def _wake_for_relatives(services: Services, experiment_id: str) -> None:
    announce_relatives(services.database, services.settings.require_broker_url(), experiment_id)


def _wake_worker(services: Services, row: Experiment) -> None:
    announce(services.database, services.settings.require_broker_url(), {row.id: Queue(row.queue)})


def _add(services: Services, session: Session, wanted: NewExperiment, config: KindConfig) -> Experiment:
    is_suite = isinstance(config, SuiteConfig)
    dataset_id = None if is_suite else dataset_in_body(session, wanted.dataset or "").id
    config, model_id = _with_model(session, _with_datasets(session, config, dataset_id))
    if isinstance(config, SuiteConfig):
        check_plan(services, session, config)
    named = [place.backbone.id for place in config.backbones()]
    backbones.keep(session, [id for id in named if is_own(id)])
    new = experiments.NewExperiment(
        kind=wanted.kind,
        name=wanted.name,
        config=dump_config(wanted.kind, config),
        seed=wanted.seed,
        dataset_id=dataset_id,
        model_id=model_id,
        backbone_id=named[0] if named else None,
        queue=Queue(config.queue()),
        request_id=current_request_id(),
    )
    return experiments.add(session, new)


def _with_datasets(session: Session, config: KindConfig, dataset_id: str | None) -> KindConfig:
    """The config with the datasets it names besides its own as ids; none can go before the commit."""
    named = config.datasets()
    ids = tuple(dataset_in_body(session, name, ("body", "config", *loc)).id for loc, name in named)
    for place, (loc, _) in enumerate(named):
        if ids[place] in (dataset_id, *ids[:place]):
            raise invalid(("body", "config", *loc), "each dataset once", "one that is named before")
    datasets.keep(session, ids)
    return config.with_datasets(ids)


def _with_model(session: Session, config: KindConfig) -> tuple[KindConfig, str | None]:
    """The config with its model resolved to an id, and that id."""
    named = config.model()
    if named is None:
        return config, None
    block, name = named
    model_id = model_in_body(session, name, ("body", "config", block, "model")).id
    return config.with_model(model_id), model_id
