"""Datasets and models that a body names: found, or a 404 that says which field named them."""

from sqlalchemy.orm import Session

from api.errors import FieldError, NoSuchResourceError
from api.schemas.fields import check_storable
from db import datasets, models
from db.errors import NotFoundError
from db.tables import Dataset, Model
from sip_model.errors import InvalidInputError, Location


def dataset_in_body(session: Session, reference: str, loc: Location = ("body", "dataset")) -> Dataset:
    """The dataset of this id or name."""
    try:
        return datasets.get(session, check_storable(reference))
    except (NotFoundError, InvalidInputError):
        raise _missing(loc, "the id or name of a dataset", "GET /datasets lists them.") from None


def model_in_body(session: Session, reference: str, loc: Location = ("body", "model")) -> Model:
    """The model of this id, name, ``name@version`` or ``default``."""
    try:
        return models.get(session, check_storable(reference))
    except (NotFoundError, InvalidInputError):
        raise no_such_model(loc) from None


def no_such_model(loc: Location = ("body", "model")) -> NoSuchResourceError:
    """What is raised for a model that isn't there."""
    hint = "GET /models lists them; none is the default before one is trained."
    return _missing(loc, "the id, name or name@version of a model, or default", hint)


def _missing(loc: Location, expected: str, hint: str) -> NoSuchResourceError:
    message = f"expected {expected}; found nothing under it. {hint}"
    where = ".".join(str(part) for part in loc)
    return NoSuchResourceError(f"{where}: {message}", [FieldError(loc, message, "not_found")])
