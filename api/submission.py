"""From a request to a queued experiment: everything it refers to is checked before its row exists."""

from sqlalchemy.orm import Session

from api.errors import invalid, located
from api.experiment_config import dump_config, resolve_config
from api.experiments import experiment_resource
from api.idempotency import Wish, make_once
from api.references import dataset_in_body, model_in_body
from api.schemas.experiments import ExperimentResource, NewExperiment
from api.services import Services
from db import backbones, datasets, experiments
from db.datasets import READY
from db.idempotency import RequestKey
from db.logs import current_request_id
from db.publisher import announce
from db.states import Queue
from db.tables import Experiment
from sip_model.backbones.catalog import is_own
from sip_model.backbones.info import require_decoder
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
            info = services.catalog.check(place.backbone)
            if place.is_decoder and info is not None:
                require_decoder(info)
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
        raise invalid(("body", "dataset"), "a dataset that is ready", f"one that is {dataset.status}")
    config, model_id = _with_model(session, _with_datasets(session, config, dataset.id))
    named = [place.backbone.id for place in config.backbones()]
    backbones.keep(session, [id for id in named if is_own(id)])
    new = experiments.NewExperiment(
        kind=wanted.kind,
        name=wanted.name,
        config=dump_config(wanted.kind, config),
        seed=wanted.seed,
        dataset_id=dataset.id,
        model_id=model_id,
        backbone_id=named[0] if named else None,
        queue=Queue(config.queue()),
        request_id=current_request_id(),
    )
    return experiments.add(session, new)


def _with_datasets(session: Session, config: KindConfig, dataset_id: str) -> KindConfig:
    """The config with the further datasets it names resolved to ids."""
    named = config.datasets()
    if named is None:
        return config
    block, names = named
    ids: list[str] = []
    for number, name in enumerate(names):
        loc = ("body", "config", block, "also", number)
        found = dataset_in_body(session, name, loc)
        if found.status != READY:
            raise invalid(loc, "a dataset that is ready", f"one that is {found.status}")
        if found.id in (dataset_id, *ids):
            raise invalid(loc, "each dataset once", "one that is named before")
        ids.append(found.id)
    datasets.keep(session, ids)
    return config.with_datasets(tuple(ids))


def _with_model(session: Session, config: KindConfig) -> tuple[KindConfig, str | None]:
    """The config with its model resolved to an id, and that id."""
    named = config.model()
    if named is None:
        return config, None
    block, name = named
    model_id = model_in_body(session, name, ("body", "config", block, "model")).id
    return config.with_model(model_id), model_id
