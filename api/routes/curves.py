"""`/metrics/curves`."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field

from api.dependencies import SessionDep
from api.errors import InvalidRequestError
from api.openapi import errors
from api.schemas.curves import CurvesResponse
from api.schemas.fields import Filters, check_storable
from db.metrics import MetricFilter, curves

router = APIRouter(tags=["metrics"])

_Experiment = Annotated[str, Field(max_length=100), AfterValidator(check_storable)]


@router.get(
    "/metrics/curves",
    summary="Read whole curves, thinned",
    response_model=CurvesResponse,
    responses=errors(InvalidRequestError),
)
def get_curves(
    session: SessionDep,
    experiment: Annotated[
        list[_Experiment], Query(min_length=1, max_length=16, description="These experiments (repeatable).")
    ],
    name: Annotated[
        Filters, Query(description="Only these names; `*` stands for anything (repeatable).")
    ] = (),
    points: Annotated[int, Query(ge=10, le=5000, description="Values of a curve, about, at most.")] = 400,
) -> Response:
    """What a chart needs of series with steps: of longer ones the lowest and the highest value of each run
    of neighbours, so that no spike is lost, and the first and last of all.
    """
    found = curves(session, MetricFilter(experiments=tuple(experiment), names=tuple(name)), points=points)
    body = orjson.dumps({"data": found.curves, "next_since": found.next_since})
    return Response(body, media_type="application/json")
