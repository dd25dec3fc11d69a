"""`/models`."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from api.dependencies import ModelPath, ServicesDep, SessionDep
from api.downloads import model_archive
from api.errors import InvalidRequestError, NoSuchResourceError, StateConflictError
from api.listing import Cursor, Limit, NewestFirst, Order, Page, decode_cursor, decode_number_cursor, page_of
from api.models import choose_default, delete_model
from api.openapi import errors
from api.schemas.models import ModelResource, ModelSource, ModelSummary
from db import models

router = APIRouter(prefix="/models", tags=["models"])


@router.get("", summary="List models", responses=errors(InvalidRequestError))
def list_models(
    session: SessionDep, limit: Limit = 50, cursor: Cursor = None, order: NewestFirst = "desc"
) -> Page[ModelSummary]:
    """Models by age."""
    return page_of(
        models.page(session, limit=limit, cursor=decode_cursor(cursor), order=order), ModelSummary.of
    )


@router.get("/{model}", summary="Get a model", responses=errors(NoSuchResourceError, InvalidRequestError))
def get_model(session: SessionDep, model: ModelPath) -> ModelResource:
    """A model with its card."""
    return ModelResource.of(models.get(session, model))


@router.get(
    "/{model}/sources",
    summary="List a model's sources",
    responses=errors(NoSuchResourceError, InvalidRequestError),
)
def list_model_sources(
    session: SessionDep,
    model: ModelPath,
    limit: Limit = 50,
    cursor: Cursor = None,
    order: Annotated[Order, Query(description="By number, upwards or downwards.")] = "asc",
) -> Page[ModelSource]:
    """The sources a model tells apart, by number."""
    row = models.get(session, model)
    after = decode_number_cursor(cursor)
    return page_of(
        models.sources_page(session, row.id, limit=limit, cursor=after, order=order),
        lambda source: ModelSource(source_id=source.number, name=source.name),
    )


@router.post(
    "/{model}/default",
    summary="Make a model the default",
    responses=errors(NoSuchResourceError, InvalidRequestError),
)
def post_default(services: ServicesDep, model: ModelPath) -> ModelResource:
    """It answers from now on where no model is named; requests under way are answered by the one before."""
    return ModelResource.of(choose_default(services, model))


@router.get(
    "/{model}/download",
    summary="Download a model",
    response_class=FileResponse,
    responses={
        200: {
            "description": "A zip of safetensors and JSON files; nothing in it is executable.",
            "content": {"application/zip": {}},
        },
        **errors(NoSuchResourceError, InvalidRequestError),
    },
)
def download_model(services: ServicesDep, session: SessionDep, model: ModelPath) -> FileResponse:
    """The model's files, each verified against its SHA-256."""
    return model_archive(services, models.get(session, model))


@router.delete(
    "/{model}",
    status_code=204,
    summary="Delete a model",
    responses=errors(NoSuchResourceError, StateConflictError, InvalidRequestError),
)
def remove_model(services: ServicesDep, model: ModelPath) -> None:
    """Deletes a model and its files; 409 for the default and while an unfinished experiment uses it."""
    delete_model(services, model)
