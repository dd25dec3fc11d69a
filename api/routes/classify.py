"""`/classify`."""

from fastapi import APIRouter

from api import classification
from api.dependencies import ServicesDep, TextQuotaDep
from api.errors import InvalidRequestError, NoSuchResourceError, OverloadedError
from api.json_body import StrictJsonRoute
from api.openapi import errors
from api.schemas.classify import ClassifyRequest, ClassifyResponse

router = APIRouter(tags=["classify"], route_class=StrictJsonRoute)


@router.post(
    "/classify",
    summary="Where texts come from",
    responses=errors(NoSuchResourceError, InvalidRequestError, OverloadedError, body=True),
)
async def post_classify(
    services: ServicesDep, quota: TextQuotaDep, request: ClassifyRequest
) -> ClassifyResponse:
    """The calibrated distribution over sources, `other` and `unknown` of each text, which sums to 1."""
    await quota.spend(request.input)
    return await classification.classify(services, request)
