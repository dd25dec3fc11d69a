"""`/prometheus`."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from api.exposition import Exposition
from api.openapi import errors

router = APIRouter(tags=["health"])


def _exposition(request: Request) -> Exposition:
    return cast(Exposition, request.app.state.exposition)


@router.get(
    "/prometheus",
    summary="Numbers for Prometheus",
    response_class=PlainTextResponse,
    responses={
        200: {"description": "Prometheus' text format, version 0.0.4.", "content": {"text/plain": {}}},
        **errors(),
    },
)
async def get_prometheus(exposition: Annotated[Exposition, Depends(_exposition)]) -> Response:
    """Answers without the database too: then `sip_database_up` is 0 and what only it knows is left out."""
    return Response(await exposition.render(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
