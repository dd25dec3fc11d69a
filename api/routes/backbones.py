"""`/backbones`."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator

from api.backbones import backbone_resource, delete_backbone, list_backbones
from api.dependencies import ServicesDep
from api.errors import InvalidRequestError, NoSuchResourceError, StateConflictError
from api.listing import Cursor, Limit, Page
from api.openapi import errors
from api.schemas.backbones import BackboneResource
from api.schemas.fields import check_storable

BackbonePath = Annotated[
    str,
    Path(description="What would be named as `backbone.id`.", max_length=200),
    AfterValidator(check_storable),
]

router = APIRouter(prefix="/backbones", tags=["backbones"])


@router.get("", summary="List what may be named as a backbone", responses=errors(InvalidRequestError))
def get_backbones(services: ServicesDep, limit: Limit = 50, cursor: Cursor = None) -> Page[BackboneResource]:
    """The bundled one, configured folders, the patterns of Hugging Face ids that may be named, then those
    that were trained here."""
    return list_backbones(services, limit, cursor)


@router.get(
    "/{backbone:path}", summary="Get a backbone", responses=errors(NoSuchResourceError, InvalidRequestError)
)
def get_backbone(services: ServicesDep, backbone: BackbonePath) -> BackboneResource:
    """What is known of a backbone without loading it."""
    return backbone_resource(services, backbone)


@router.delete(
    "/{backbone:path}",
    status_code=204,
    summary="Delete a backbone",
    responses=errors(NoSuchResourceError, StateConflictError, InvalidRequestError),
)
def remove_backbone(services: ServicesDep, backbone: BackbonePath) -> None:
    """Deletes a backbone that was trained here, and its files; 409 while a model reads it or an unfinished
    experiment names it, and for any other backbone."""
    delete_backbone(services, backbone)
