"""`/health`."""

from importlib.metadata import version
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response

from api.openapi import errors
from api.readiness import Readiness
from api.schemas.health import Live, Ready

router = APIRouter(prefix="/health", tags=["health"])


def _readiness(request: Request) -> Readiness:
    return cast(Readiness, request.app.state.readiness)


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
async def get_ready(readiness: Annotated[Readiness, Depends(_readiness)], response: Response) -> Ready:
    """Names every part, within 5 s; 503 without the database or with a default model that doesn't load."""
    found = await readiness.look()
    response.status_code = 503 if found.status == "down" else 200
    return found
