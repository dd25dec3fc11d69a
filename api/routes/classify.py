"""`/classify`."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import classification
from api.departures import unless_gone
from api.dependencies import ServicesDep, TextQuotaDep
from api.errors import InvalidRequestError, NoSuchResourceError, OverloadedError
from api.json_body import StrictJsonRoute
from api.openapi import errors
from api.schemas.classify import ClassifyRequest, ClassifyResponse

router = APIRouter(tags=["classify"], route_class=StrictJsonRoute)


@router.post(
    "/classify",
    response_model=ClassifyResponse,
    summary="Where texts come from",
    responses=errors(NoSuchResourceError, InvalidRequestError, OverloadedError, body=True),
)
async def post_classify(
    services: ServicesDep, quota: TextQuotaDep, request: ClassifyRequest, connection: Request
) -> Response:
    """The calibrated distribution over sources, `other` and `unknown` of each text, which sums to 1."""
    await quota.spend(request.input)
    return await unless_gone(connection, classification.classify(services, request))
