"""`/health`."""

from importlib.metadata import version

from fastapi import APIRouter, Response

from api.dependencies import ServicesDep
from api.openapi import errors
from api.readiness import readiness
from api.schemas.health import Live, Ready

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="Is the process there", responses=errors())
def get_live() -> Live:
    """Answers as long as the process runs."""
    return Live(version=version("source-identification"))


@router.get(
    "/ready",
    summary="Can the service do its work",
    responses={
        **errors(),
        503: {"model": Ready, "description": "The database or the default model is down."},
    },
)
def get_ready(services: ServicesDep, response: Response) -> Ready:
    """Names every part; 503 without the database or with a default model that doesn't load."""
    found = readiness(services)
    response.status_code = 503 if found.status == "down" else 200
    return found
