"""`/embed` and its OpenAI form, `/v1`."""

from fastapi import APIRouter

from api import embedding
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
    summary="Embed texts",
    responses=errors(NoSuchResourceError, InvalidRequestError, OverloadedError, body=True),
)
async def post_embed(services: ServicesDep, quota: TextQuotaDep, request: EmbedRequest) -> EmbedResponse:
    """The vectors of a backbone's layer, pooled."""
    await quota.spend(request.input)
    return await embedding.embed(services, request)


@router.post(
    "/v1/embeddings",
    summary="Embed texts, in OpenAI's form",
    responses=errors(InvalidRequestError, OverloadedError, body=True),
)
async def post_openai_embeddings(
    services: ServicesDep, quota: TextQuotaDep, request: OpenAIEmbeddingsRequest
) -> OpenAIEmbeddingsResponse:
    """For clients written for OpenAI's API; vectors have length 1."""
    await quota.spend(request.input)
    return await embedding.embed_for_openai(services, request)


@router.get("/v1/models", summary="List what /v1/embeddings takes as model", responses=errors())
def list_openai_models(services: ServicesDep, session: SessionDep) -> OpenAIModels:
    """Backbones of this machine and trained models."""
    return embedding.openai_models(services, session)
