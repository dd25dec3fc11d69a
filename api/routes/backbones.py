"""`/backbones`."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator

from api.backbones import backbone_resource, list_backbones
from api.dependencies import ServicesDep
from api.errors import InvalidRequestError, NoSuchResourceError
from api.listing import Cursor, Limit, Page
from api.openapi import errors
from api.schemas.backbones import BackboneResource
from api.schemas.fields import check_storable

router = APIRouter(prefix="/backbones", tags=["backbones"])


@router.get("", summary="List what may be named as a backbone", responses=errors(InvalidRequestError))
def get_backbones(services: ServicesDep, limit: Limit = 50, cursor: Cursor = None) -> Page[BackboneResource]:
    """The bundled one, configured folders, and the patterns of Hugging Face ids that may be named."""
    return list_backbones(services.catalog, limit, cursor)


@router.get(
    "/{backbone:path}", summary="Get a backbone", responses=errors(NoSuchResourceError, InvalidRequestError)
)
def get_backbone(
    services: ServicesDep,
    backbone: Annotated[
        str,
        Path(description="What would be named as `backbone.id`.", max_length=200),
        AfterValidator(check_storable),
    ],
) -> BackboneResource:
    """What is known of a backbone without loading it."""
    return backbone_resource(services.catalog, backbone)
