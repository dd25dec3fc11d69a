"""`/metrics`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from api.dependencies import ServicesDep
from api.errors import InvalidRequestError
from api.openapi import errors
from api.polling import Poll, poll_metrics
from api.schemas.fields import Filters, Numbers
from api.schemas.metrics import MetricsPage, metrics_csv, metrics_json
from db.metrics import MetricFilter

router = APIRouter(tags=["metrics"])


@router.get(
    "/metrics",
    summary="Poll results",
    response_model=MetricsPage,
    responses={
        200: {"description": "What is new, as JSON or CSV.", "content": {"text/csv": {}}},
        **errors(InvalidRequestError),
    },
)
async def get_metrics(
    services: ServicesDep,
    experiment: Annotated[Filters, Query(description="Only these experiments (repeatable).")] = (),
    name: Annotated[
        Filters, Query(description="Only these names; `*` stands for anything (repeatable).")
    ] = (),
    split: Annotated[Filters, Query(description="Only these parts (repeatable).")] = (),
    backbone: Annotated[Filters, Query(description="Only these backbones (repeatable).")] = (),
    dataset: Annotated[Filters, Query(description="Only these datasets, by id or name (repeatable).")] = (),
    layer: Annotated[Numbers, Query(description="Only these layers (repeatable).")] = (),
    seed: Annotated[Numbers, Query(description="Only these seeds (repeatable).")] = (),
    parent: Annotated[Filters, Query(description="Only children of these experiments (repeatable).")] = (),
    since: Annotated[
        int, Query(ge=0, le=2**63 - 1, description="`next_since` of the last poll: only what came after it.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=5000, description="Rows at most.")] = 1000,
    latest: Annotated[
        bool, Query(description="Only the newest row of each experiment, name, split, layer and backbone.")
    ] = False,
    wait: Annotated[
        float, Query(ge=0, le=30, allow_inf_nan=False, description="Seconds to wait for something new.")
    ] = 0,
    format: Annotated[
        Literal["json", "csv"], Query(description="JSON, or CSV with `X-Next-Since`.")
    ] = "json",
) -> Response:
    """Values in the order they became visible.

    With `wait` the answer comes as soon as there is something new, and at once when every experiment asked
    for is final.
    """
    wanted = MetricFilter(
        experiments=tuple(experiment),
        names=tuple(name),
        splits=tuple(split),
        backbones=tuple(backbone),
        datasets=tuple(dataset),
        layers=tuple(layer),
        seeds=tuple(seed),
        parents=tuple(parent),
    )
    is_csv = format == "csv"
    write = metrics_csv if is_csv else metrics_json
    page, body, _ = await poll_metrics(services, Poll(wanted, since, limit, latest, wait, write))
    if not is_csv:
        return Response(body, media_type="application/json")
    headers = {"X-Next-Since": str(page.next_since), "X-Has-More": str(page.has_more).lower()}
    return Response(body, headers=headers, media_type="text/csv; charset=utf-8")
