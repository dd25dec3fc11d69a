"""Changes to models that touch more than a row."""

from api.services import Services
from db import models
from db.tables import Model


def choose_default(services: Services, reference: str) -> Model:
    """Make a model the default, loaded before it is one: the first request to it waits for nothing.

    Raises:
        NotFoundError: there is no such model.
        UnavailableError: its files are missing or damaged; the default stays what it was.
    """
    with services.database.session() as session:
        row = models.get(session, reference)
    services.engine.load_now(row)
    with services.database.session() as session:
        return models.set_default(session, row.id)


def delete_model(services: Services, reference: str) -> None:
    """Delete the row, then, once that is committed, the files and what is loaded of them."""
    with services.database.session() as session:
        row = models.get(session, reference)
        storage_key = models.delete(session, row.id)
    services.engine.forget(row.id)
    services.store.delete_prefix(storage_key)
