"""`/embed` and its OpenAI form, `/v1`."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import embedding
from api.departures import unless_gone
from api.dependencies import ServicesDep, SessionDep, TextQuotaDep
from api.errors import InvalidRequestError, NoSuchResourceError, OverloadedError
from api.json_body import StrictJsonRoute
from api.openapi import errors
from api.schemas.embed import (
    EmbedRequest,
    EmbedResponse,
    OpenAIEmbeddingsRequest,
    OpenAIEmbeddingsResponse,
    OpenAIModels,
)

router = APIRouter(tags=["embed"], route_class=StrictJsonRoute)


@router.post(
    "/embed",
    response_model=EmbedResponse,
    summary="Embed texts",
    responses=errors(NoSuchResourceError, InvalidRequestError, OverloadedError, body=True),
)
async def post_embed(
    services: ServicesDep, quota: TextQuotaDep, request: EmbedRequest, connection: Request
) -> Response:
    """The vectors of a backbone's layer, pooled."""
    await quota.spend(request.input)
    return await unless_gone(connection, embedding.embed(services, request))


@router.post(
    "/v1/embeddings",
    response_model=OpenAIEmbeddingsResponse,
    summary="Embed texts, in OpenAI's form",
    responses=errors(InvalidRequestError, OverloadedError, body=True),
)
async def post_openai_embeddings(
    services: ServicesDep, quota: TextQuotaDep, request: OpenAIEmbeddingsRequest, connection: Request
) -> Response:
    """For clients written for OpenAI's API; vectors have length 1."""
    await quota.spend(request.input)
    return await unless_gone(connection, embedding.embed_for_openai(services, request))


@router.get("/v1/models", summary="List what /v1/embeddings takes as model", responses=errors())
def list_openai_models(services: ServicesDep, session: SessionDep) -> OpenAIModels:
    """Backbones of this machine and trained models."""
    return embedding.openai_models(services, session)
