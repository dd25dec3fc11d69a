"""Changes to models that touch more than a row."""

from sqlalchemy.orm import Session

from api.services import Services
from db import models
from db.errors import StorageError, StorageUnavailableError
from db.tables import Model
from sip_model.experiments.evidence import EVIDENCE_FILE


def choose_default(services: Services, reference: str) -> Model:
    """Make a model the default, loaded before it is one: the first request to it waits for nothing.

    Raises:
        NotFoundError: there is no such model.
        UnavailableError: its files are missing or damaged; the default stays what it was.
    """
    with services.database.session() as session:
        row = models.get(session, reference)
    services.engine.loading.load_now(row)
    with services.database.session() as session:
        return models.set_default(session, row.id)


def withdraw_evidence(services: Services, session: Session, dataset_id: str) -> dict[str, str]:
    """Take the passages of a dataset out of the models trained on it.

    Returns:
        Model to the key of its file, which the caller removes once this is committed.
    """
    return {
        model.id: models.withdraw_file(session, model, EVIDENCE_FILE, _num_bytes(services, model))
        for model in models.of_dataset(session, dataset_id)
        if EVIDENCE_FILE in model.files
    }


def _num_bytes(services: Services, model: Model) -> int:
    try:
        return services.store.num_bytes(f"{model.storage_key}/{EVIDENCE_FILE}")
    except StorageUnavailableError:
        raise
    except StorageError:
        return 0  # a file that is lost already keeps nobody from deleting its dataset


def delete_model(services: Services, reference: str) -> None:
    """Delete the row, then, once that is committed, the files and what is loaded of them."""
    with services.database.session() as session:
        row = models.get(session, reference)
        storage_key = models.delete(session, row.id)
    services.engine.loading.forget(row.id)
    services.store.delete_prefix(storage_key)
