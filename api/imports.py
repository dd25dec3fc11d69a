"""From a request that names a path, a URI or a repository of the hub to a dataset being imported.

What is named is checked here, before anything is opened; a worker reads it.
"""

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from api.errors import StateConflictError, invalid, located
from api.idempotency import Wish, make_once
from api.schemas.datasets import HubDataset, NewDataset
from api.services import Services
from db import datasets, experiments
from db.logs import current_request_id
from db.publisher import announce
from db.settings import Settings
from db.states import Queue
from db.tables import Dataset, JSONObject
from sip_model.corpora.formats import FOLDER_FORMATS, detect_format
from sip_model.corpora.origins import DEFAULT_HUB_DATASETS, check_hub_names, check_path, check_repo, check_uri
from sip_model.experiments.ingest import HubOrigin, IngestConfig
from sip_model.experiments.kinds import INGEST

NAME_TAKEN = "A dataset of this name exists. Choose another name, or delete that one first."
HUB = "hub"
"""Format of rows of the hub, whatever their files are."""


def start_import(services: Services, wanted: NewDataset, wish: Wish) -> tuple[Dataset, bool]:
    """Commit the dataset and the experiment that imports it, then wake a worker.

    Returns:
        The dataset, and whether an earlier request with this key has made it.

    Raises:
        InvalidRequestError: it may not be read from there.
        StateConflictError: the name is taken.
    """
    config = _config(services.settings, wanted)
    row, replayed = make_once(
        services.database, wish, lambda session: _add(session, wanted.name, config), datasets.get
    )
    if not replayed and row.experiment_id is not None:
        waiting = {row.experiment_id: Queue(config.queue())}
        announce(services.database, services.settings.require_broker_url(), waiting)
    return row, replayed


def _add(session: Session, name: str, config: IngestConfig) -> Dataset:
    if datasets.exists(session, name):
        raise StateConflictError(NAME_TAKEN)
    dataset = datasets.begin_import(session, name, config.format)
    resolved: JSONObject = TypeAdapter(IngestConfig).dump_python(config, mode="json")
    new = experiments.NewExperiment(
        kind=INGEST,
        name=name,
        config=resolved,
        seed=0,
        dataset_id=dataset.id,
        queue=Queue(config.queue()),
        request_id=current_request_id(),
    )
    dataset.experiment_id = experiments.add(session, new).id
    session.flush()
    return dataset


def _config(settings: Settings, wanted: NewDataset) -> IngestConfig:
    origin = wanted.origin
    if origin.hub is not None:
        return IngestConfig(format=_hub_format(wanted), hub=_hub(settings, origin.hub))
    if origin.uri is not None:
        with located("body", "from"):
            name = check_uri(origin.uri, settings.allowed_uri_schemes)
        return IngestConfig(format=_format(wanted, name, is_folder=False), uri=origin.uri)
    with located("body", "from"):
        path = check_path(origin.path or "", settings.data_roots)
    return IngestConfig(format=_format(wanted, path.name, is_folder=path.is_dir()), path=origin.path)


def _hub(settings: Settings, hub: HubDataset) -> HubOrigin:
    allowed = settings.allowed_hub_datasets
    with located("body", "from"):
        check_repo(hub.repo, DEFAULT_HUB_DATASETS if allowed is None else allowed)
        check_hub_names(hub.config, hub.split, hub.revision)
    return HubOrigin(**hub.model_dump())


def _hub_format(wanted: NewDataset) -> str:
    if wanted.format not in (None, "wikitext"):
        raise invalid(("body", "format"), "wikitext, or none for the hub", "another one")
    return wanted.format or HUB


def _format(wanted: NewDataset, name: str, *, is_folder: bool) -> str:
    if wanted.format is not None:
        if is_folder and wanted.format not in FOLDER_FORMATS:
            expected = f"one of {', '.join(FOLDER_FORMATS)} for a folder"
            raise invalid(("body", "format"), expected, "another one")
        return wanted.format
    with located("body"):
        return detect_format(f"{name}.zip" if is_folder else name)
