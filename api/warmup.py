"""The default model is loaded when the service starts, not with the first request."""

import structlog

from api.services import Services
from db import models
from db.errors import DatabaseUnavailableError, NotFoundError


def load_default_model(services: Services) -> None:
    """Begin to load the default model, if there is one; `GET /health/ready` tells how it goes."""
    try:
        with services.database.session() as session:
            model = models.get(session, models.DEFAULT)
    except NotFoundError:
        return
    except DatabaseUnavailableError as error:
        structlog.get_logger().warning("default model not loaded", reason=str(error))
        return
    services.engine.loading.load_soon(model)
