"""`/experiments`: everything that takes time."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import AfterValidator

from api.dependencies import ExperimentPath, ServicesDep, SessionDep
from api.downloads import MEDIA_TYPES, artifact_response
from api.errors import InvalidRequestError, NoSuchResourceError, StateConflictError
from api.event_stream import EVENT_ID, EVENTS_TYPE, events_response
from api.experiments import (
    ExperimentFilter,
    delete_experiment,
    experiment_log,
    experiment_resource,
    list_experiments,
)
from api.idempotency import HEADERS, RequestKeyDep, answer_with
from api.json_body import StrictJsonRoute
from api.listing import Cursor, Limit, NewestFirst, Page
from api.openapi import errors
from api.reports import report_response
from api.results import ResultsFormat, results_response
from api.schemas.experiments import ClassifiedChunk, ExperimentResource, NewExperiment, StatusName
from api.schemas.fields import Filter, check_storable
from api.schemas.log import LogResponse
from api.submission import cancel_experiment, retry_experiment, submit_experiment
from db import experiments

router = APIRouter(prefix="/experiments", tags=["experiments"], route_class=StrictJsonRoute)


@router.post(
    "",
    status_code=202,
    summary="Queue an experiment",
    responses={
        202: {"description": "It is kept and will run.", "headers": HEADERS},
        **errors(NoSuchResourceError, StateConflictError, InvalidRequestError, body=True),
    },
)
def post_experiment(
    services: ServicesDep, wanted: NewExperiment, key: RequestKeyDep, response: Response
) -> ExperimentResource:
    """Everything it refers to is checked first; with the 202 the experiment is kept and will run."""
    made, replayed = submit_experiment(services, wanted, key)
    answer_with(response, f"/experiments/{made.id}", replayed=replayed)
    return made


@router.get("", summary="List experiments", responses=errors(InvalidRequestError))
def get_experiments(
    session: SessionDep,
    kind: Annotated[Filter, Query(description="Only this kind.")] = None,
    status: Annotated[StatusName | None, Query(description="Only this status.")] = None,
    dataset: Annotated[Filter, Query(description="Only those on this dataset (id or name).")] = None,
    parent: Annotated[Filter, Query(description="Only the children of this experiment.")] = None,
    name: Annotated[Filter, Query(description="Only those of this name.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    order: NewestFirst = "desc",
) -> Page[ExperimentResource]:
    """Experiments by age, filtered."""
    wanted = ExperimentFilter(kind, status, dataset, parent, name)
    return list_experiments(session, wanted, limit, cursor, order)


@router.get(
    "/{experiment}", summary="Get an experiment", responses=errors(NoSuchResourceError, InvalidRequestError)
)
def get_experiment(session: SessionDep, experiment: ExperimentPath) -> ExperimentResource:
    """An experiment with its progress, final metrics and files."""
    return experiment_resource(session, experiments.get(session, experiment))


@router.get(
    "/{experiment}/log",
    summary="Read an experiment's log",
    responses=errors(NoSuchResourceError, InvalidRequestError),
)
def get_log(
    session: SessionDep,
    experiment: ExperimentPath,
    since: Annotated[
        int, Query(ge=0, le=2**63 - 1, description="`next_since` of the answer before: only what came after.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=5000, description="Lines at most.")] = 1000,
) -> LogResponse:
    """What has happened to it: states, attempts and why they ended, phases as they begin, warnings."""
    return experiment_log(session, experiment, since, limit)


@router.get(
    "/{experiment}/events",
    summary="Follow an experiment",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events, until it is final.",
            "content": {EVENTS_TYPE: {}},
        },
        204: {"description": "It is final, and nothing came after `Last-Event-ID`: connect no more."},
        **errors(NoSuchResourceError, InvalidRequestError),
    },
)
async def get_events(
    services: ServicesDep,
    experiment: ExperimentPath,
    last_event_id: Annotated[
        str | None,
        Header(pattern=EVENT_ID, description="`id` of the last event that was seen: only what came after."),
    ] = None,
    follow: Annotated[
        bool, Query(description="Whether to go on with what is to come, or to end with what there is.")
    ] = True,
) -> Response:
    """What happens to it, as it happens: `status` (status, attempt, error), `progress`, `metric` (as in
    `GET /metrics`) and `log` (as in its log). All there is already comes first; the last event is the final
    status.
    """
    return await events_response(services, experiment, last_event_id, is_followed=follow)


@router.post(
    "/{experiment}/cancel",
    status_code=202,
    summary="Cancel an experiment",
    responses=errors(NoSuchResourceError, StateConflictError, InvalidRequestError),
)
def cancel_one(services: ServicesDep, experiment: ExperimentPath) -> ExperimentResource:
    """Stops a queued one at once and a running one within seconds, and so all its children; 409 when it is
    final.
    """
    return cancel_experiment(services, experiment)


@router.post(
    "/{experiment}/retry",
    status_code=202,
    summary="Try an experiment again",
    responses=errors(NoSuchResourceError, StateConflictError, InvalidRequestError),
)
def retry_one(services: ServicesDep, experiment: ExperimentPath) -> ExperimentResource:
    """Queues a failed or cancelled one again, from its last checkpoint, and with a suite its failed and
    cancelled children; 409 in any other state, and when its dataset was deleted.
    """
    return retry_experiment(services, experiment)


@router.delete(
    "/{experiment}",
    status_code=204,
    summary="Delete an experiment",
    responses=errors(NoSuchResourceError, StateConflictError, InvalidRequestError),
)
def remove_experiment(services: ServicesDep, experiment: ExperimentPath) -> None:
    """Deletes a final experiment with its metrics, files and children; models they made stay."""
    delete_experiment(services, experiment)


@router.get(
    "/{experiment}/artifacts/{name}",
    summary="Fetch a file an experiment left",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The file.", "content": {media_type: {} for media_type in MEDIA_TYPES}},
        **errors(NoSuchResourceError, InvalidRequestError),
    },
)
def get_artifact(
    services: ServicesDep,
    session: SessionDep,
    experiment: ExperimentPath,
    name: Annotated[
        str, Path(description="Name of the file.", max_length=255), AfterValidator(check_storable)
    ],
) -> StreamingResponse:
    """The file, with its SHA-256 as ETag."""
    return artifact_response(services, experiments.artifact(session, experiment, name))


@router.get(
    "/{experiment}/report",
    summary="Look at an experiment's report",
    response_class=HTMLResponse,
    responses={
        200: {"description": "A self-contained page that runs no script and fetches nothing."},
        **errors(NoSuchResourceError, InvalidRequestError),
    },
)
def get_report(services: ServicesDep, session: SessionDep, experiment: ExperimentPath) -> Response:
    """A `suite` has figures and tables in it once it has succeeded; any other kind has tables at any time."""
    return report_response(services, session, experiment)


@router.get(
    "/{experiment}/results",
    summary="Read the results of a bulk classification",
    response_model=Page[ClassifiedChunk],
    responses={
        200: {
            "description": "A page of rows, or the whole table as CSV or Parquet.",
            "content": {"text/csv": {}, "application/vnd.apache.parquet": {}},
        },
        **errors(NoSuchResourceError, StateConflictError, InvalidRequestError),
    },
)
def get_results(
    services: ServicesDep,
    session: SessionDep,
    experiment: ExperimentPath,
    format: Annotated[ResultsFormat, Query(description="A page as JSON, or the whole table.")] = "json",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ClassifiedChunk] | Response:
    """Rows in the order of the dataset; only kind `classify` has them."""
    return results_response(services, session, experiment, format, limit, cursor)
