"""`/datasets`."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.chunks import sample_chunks
from api.dependencies import DatasetPath, ServicesDep, SessionDep
from api.errors import InvalidRequestError, NoSuchResourceError, StateConflictError
from api.idempotency import HEADERS, RequestKeyDep, answer_with
from api.ingest import add_dataset
from api.json_body import StrictJsonRoute
from api.listing import Cursor, Limit, NewestFirst, Order, Page, decode_cursor, decode_number_cursor, page_of
from api.models import withdraw_evidence
from api.openapi import errors
from api.schemas.datasets import ChunkSamples, DatasetResource, SourceResource
from api.schemas.fields import Seed
from api.services import Services
from db import datasets
from sip_model.corpora.formats import FORMATS

router = APIRouter(prefix="/datasets", tags=["datasets"], route_class=StrictJsonRoute)

MULTIPART_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["file", "name"],
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": ".jsonl, .csv, .parquet, WikiText's .tokens or .raw (each also .gz), or a .zip: "
            "one folder per source, or in the layout of PG19 or the extreme classification repository.",
        },
        "name": {
            "type": "string",
            "maxLength": 200,
            "description": "Unique name; printable, without /, \\ and @.",
        },
        "format": {
            "type": "string",
            "enum": list(FORMATS),
            "description": "Where the file name doesn't tell it.",
        },
    },
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": MULTIPART_SCHEMA},
            "application/json": {
                "schema": {"$ref": "#/components/schemas/NewDataset"},
                "example": {"name": "python-docs", "from": {"builtin": "python-docs"}},
            },
        },
    }
}


@router.post(
    "",
    status_code=201,
    summary="Add a corpus",
    openapi_extra=BODY,
    responses={
        201: {"description": "Read to its end and ready.", "headers": HEADERS},
        202: {
            "description": "Being imported by an experiment; `status` says when it is ready.",
            "model": DatasetResource,
            "headers": HEADERS,
        },
        **errors(StateConflictError, InvalidRequestError, body=True),
    },
)
async def post_dataset(
    services: ServicesDep, request: Request, key: RequestKeyDep, response: Response
) -> DatasetResource:
    """Send a corpus file (multipart), or name a built-in corpus, a path, a URI or a hub's repository (JSON).

    A file or built-in corpus is read to its end before the answer (201); a line that can't be used is named,
    and nothing is kept. Anything else is imported by a worker (202): poll the dataset, or watch its
    `experiment`, until its `status` is `ready` or `failed`.
    """
    added = await add_dataset(services, request, key)
    response.status_code = added.status
    answer_with(response, f"/datasets/{added.row.id}", replayed=added.replayed)
    return DatasetResource.of(added.row)


@router.get("", summary="List datasets", responses=errors(InvalidRequestError))
def list_datasets(
    session: SessionDep, limit: Limit = 50, cursor: Cursor = None, order: NewestFirst = "desc"
) -> Page[DatasetResource]:
    """Datasets by age."""
    return page_of(
        datasets.page(session, limit=limit, cursor=decode_cursor(cursor), order=order), DatasetResource.of
    )


@router.get("/{dataset}", summary="Get a dataset", responses=errors(NoSuchResourceError, InvalidRequestError))
def get_dataset(session: SessionDep, dataset: DatasetPath) -> DatasetResource:
    """A dataset by id or name."""
    return DatasetResource.of(datasets.get(session, dataset))


@router.get(
    "/{dataset}/sources",
    summary="List a dataset's sources",
    responses=errors(NoSuchResourceError, InvalidRequestError),
)
def list_dataset_sources(
    session: SessionDep,
    dataset: DatasetPath,
    limit: Limit = 50,
    cursor: Cursor = None,
    order: Annotated[Order, Query(description="By number, upwards or downwards.")] = "asc",
) -> Page[SourceResource]:
    """Sources by number, the order in which they first appear in the corpus."""
    row = datasets.get(session, dataset)
    after = decode_number_cursor(cursor)
    return page_of(
        datasets.sources_page(session, row.id, limit=limit, cursor=after, order=order), SourceResource.of
    )


@router.get(
    "/{dataset}/chunks",
    summary="Look at sample chunks of a dataset",
    responses=errors(NoSuchResourceError, StateConflictError, InvalidRequestError),
)
def get_sample_chunks(
    services: ServicesDep,
    session: SessionDep,
    dataset: DatasetPath,
    num_words: Annotated[int, Query(ge=1, le=10_000, description="Words of a chunk.")] = 32,
    limit: Annotated[int, Query(ge=1, le=20, description="Chunks at most.")] = 6,
    seed: Annotated[Seed, Query(description="Which ones: the same seed draws the same.")] = 0,
) -> ChunkSamples:
    """Chunks as an experiment would cut them, one each of some documents; 409 while it isn't ready."""
    return sample_chunks(services, datasets.get(session, dataset), num_words, limit, seed)


@router.delete(
    "/{dataset}",
    status_code=204,
    summary="Delete a dataset",
    responses=errors(NoSuchResourceError, StateConflictError, InvalidRequestError),
)
def delete_dataset(services: ServicesDep, dataset: DatasetPath) -> None:
    """Delete a dataset with its file and the passages that models keep of it as evidence; the models stay.
    409 while an unfinished experiment uses or imports it."""
    _delete(services, dataset)


def _delete(services: Services, dataset: str) -> None:
    with services.database.session() as session:
        withdrawn = withdraw_evidence(services, session, datasets.get(session, dataset).id)
        storage_key = datasets.delete(session, dataset)
    # only once the rows are gone for good
    services.store.delete_prefix(storage_key)
    for model_id, key in withdrawn.items():
        services.engine.loading.forget(model_id)
        services.store.delete_prefix(key)
