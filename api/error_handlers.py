"""Every exception becomes `application/problem+json` here, and nowhere else."""

from collections.abc import Sequence
from typing import cast

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.errors import (
    PROBLEMS,
    ApiError,
    InternalError,
    InvalidRequestError,
    MalformedRequestError,
    MethodNotAllowedError,
    NoSuchResourceError,
    StateConflictError,
    UnavailableError,
)
from api.security_headers import HEADERS
from api.validation import field_errors
from db.errors import (
    ConflictError,
    DatabaseUnavailableError,
    NotFoundError,
    StorageError,
    StorageUnavailableError,
)
from db.storage import DISK_FULL

OPENAI_PATHS = "/v1/"
RETRY_SECONDS = "5"


def add_error_handlers(app: FastAPI) -> None:
    """Register the handlers on `app`."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _framework_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(NotFoundError, _row_not_found)
    app.add_exception_handler(ConflictError, _row_conflict)
    app.add_exception_handler(DatabaseUnavailableError, _database_down)
    app.add_exception_handler(StorageUnavailableError, _store_down)
    app.add_exception_handler(StorageError, _file_damaged)
    app.add_exception_handler(OSError, _disk_full)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(ClientDisconnect, _hung_up)
    app.add_exception_handler(Exception, _unforeseen)


def problem_response(error: ApiError, request_id: str | None, path: str) -> Response:
    """`error` as a problem+json response; below `/v1` in OpenAI's form as well."""
    body: dict[str, object] = {
        "type": f"/problems/{error.slug}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": request_id,
    }
    if error.errors:
        body["errors"] = [entry.as_json() for entry in error.errors]
    if path.startswith(OPENAI_PATHS):
        body["error"] = _openai_error(error)
    # the answer to what nobody foresaw passes no middleware
    headers = {**HEADERS, **(error.headers or {})}
    if request_id is not None:
        headers["X-Request-ID"] = request_id
    return Response(orjson.dumps(body), error.status, headers, media_type="application/problem+json")


def _openai_error(error: ApiError) -> dict[str, str | None]:
    field = ".".join(map(str, error.errors[0].loc[1:])) if error.errors else None
    return {"message": error.detail, "type": error.slug, "param": field, "code": error.slug}


def _answer(request: Request, error: ApiError) -> Response:
    return problem_response(error, getattr(request.state, "request_id", None), request.url.path)


def _api_error(request: Request, error: Exception) -> Response:
    return _answer(request, cast(ApiError, error))


def _framework_error(request: Request, error: Exception) -> Response:
    """Starlette's and FastAPI's own: unknown path, method, unreadable body."""
    framework = cast(HTTPException, error)
    if framework.status_code == 404:
        return _answer(request, NoSuchResourceError("There is no such path. /docs lists those there are."))
    if framework.status_code == 405:
        allowed = (framework.headers or {}).get("Allow", "")
        detail = f"{request.method} is not possible here; possible: {allowed}."
        return _answer(request, MethodNotAllowedError(detail, headers=framework.headers))
    if framework.status_code == 400:
        return _answer(request, MalformedRequestError(f"The body could not be read: {framework.detail}"))
    matching = (problem for problem in PROBLEMS.values() if problem.status == framework.status_code)
    return _answer(request, next(matching, InternalError)(framework.detail, headers=framework.headers))


def _validation_error(request: Request, error: Exception) -> Response:
    details = cast(Sequence[ErrorDetails], cast(RequestValidationError, error).errors())
    return _answer(request, InvalidRequestError.of(field_errors(details)))


def _row_not_found(request: Request, error: Exception) -> Response:
    return _answer(request, NoSuchResourceError(f"{str(error).capitalize()}."))


def _row_conflict(request: Request, error: Exception) -> Response:
    return _answer(request, StateConflictError(str(error)))


def _database_down(request: Request, error: Exception) -> Response:
    structlog.get_logger().error("database unavailable", reason=str(error))
    detail = "The database can't be reached; try again in a moment."
    return _answer(request, UnavailableError(detail, headers={"Retry-After": RETRY_SECONDS}))


def _store_down(request: Request, error: Exception) -> Response:
    structlog.get_logger().error("artifact store unavailable", reason=str(error))
    detail = "The store of files can't be reached; try again in a moment."
    return _answer(request, UnavailableError(detail, headers={"Retry-After": RETRY_SECONDS}))


def _file_damaged(request: Request, error: Exception) -> Response:
    structlog.get_logger().error("stored file missing or damaged", reason=str(error))
    detail = f"A stored file can't be used. {error}."  # its key is made of ids and names of ours
    return _answer(request, UnavailableError(detail, headers={"Retry-After": "60"}))


def _disk_full(request: Request, error: Exception) -> Response:
    if cast(OSError, error).errno not in DISK_FULL:
        return _unforeseen(request, error)
    structlog.get_logger().error("disk full", reason=str(error))
    detail = "The service has no disk space left for this."
    return _answer(request, UnavailableError(detail, headers={"Retry-After": "60"}))


def _hung_up(request: Request, _error: Exception) -> Response:
    """Nobody is there to read it."""
    return _answer(request, MalformedRequestError("The connection ended before the body did."))


def _unstorable(request: Request, error: Exception) -> Response:
    structlog.get_logger().warning("value refused by the database", error_type=type(error).__name__)
    return _answer(request, InvalidRequestError("A value in the request can't be stored by the database."))


def _unforeseen(request: Request, error: Exception) -> Response:
    structlog.get_logger().error("unforeseen error", exc_info=error)
    return _answer(
        request, InternalError("The service failed; its log names the cause under this request id.")
    )
