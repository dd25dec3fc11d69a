"""The OpenAPI document: every error declared as problem+json, and nothing the framework only assumes."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from api.errors import (
    ApiError,
    BodyTooLargeError,
    BodyTooSlowError,
    ForbiddenError,
    HeadTooLargeError,
    InternalError,
    InvalidRequestError,
    MalformedRequestError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from api.keys import scope_needed
from api.schemas.datasets import NewDataset
from api.schemas.problem import Problem
from db.keys import Scope
from sip_model.experiments.kinds import KINDS

PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}
EVERYWHERE: tuple[type[ApiError], ...] = (
    MalformedRequestError,
    UnauthorizedError,
    ForbiddenError,
    TooManyRequestsError,
    HeadTooLargeError,
    InternalError,
    UnavailableError,
)
WITH_BODY: tuple[type[ApiError], ...] = (
    BodyTooLargeError,
    BodyTooSlowError,
    UnsupportedMediaTypeError,
)

KEY_SCHEME = "key"
KEY_DESCRIPTION = {
    "type": "http",
    "scheme": "bearer",
    "description": "`Authorization: Bearer sip_…`, a key that `sip keys create` has printed. Its scope is "
    "`read` (look at what it owns, classify, embed), `write` (and add and delete datasets and experiments) "
    "or `admin` (and see everything, choose the default model, delete models). A service on loopback asks "
    "for none unless SIP_REQUIRE_KEYS is set. A key that is revoked stops working within 5 seconds.",
}

Responses = dict[int | str, dict[str, Any]]


def errors(*problems: type[ApiError], body: bool = False) -> Responses:
    """The `responses` of a route that may answer with these problems.

    Args:
        problems: beyond those any route may answer with.
        body: whether the route reads a body, which adds 408, 413 and 415.
    """
    every = (*EVERYWHERE, *(WITH_BODY if body else ()), *problems)
    return {problem.status: _response(problem) for problem in sorted(every, key=lambda p: p.status)}


def openapi_of(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What `app.openapi` is set to: built when first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app)
        return app.openapi_schema

    return openapi


def _build(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    schemas = document["components"]["schemas"]
    _add_schema(schemas, "Problem", TypeAdapter(Problem))
    # its route reads the body itself, because it may be multipart as well
    _add_schema(schemas, "NewDataset", TypeAdapter(NewDataset))
    for config in KINDS.values():
        _add_schema(schemas, config.__name__, TypeAdapter(config))
    document["components"]["securitySchemes"] = {KEY_SCHEME: KEY_DESCRIPTION}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_security(operation, scope_needed(method.upper(), path))
            invalid = operation["responses"].get("422")
            if invalid is not None and "application/json" in invalid.get("content", {}):
                # the framework's own guess at an error body
                operation["responses"]["422"] = _response(InvalidRequestError)
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    return document


def _add_security(operation: dict[str, Any], scope: Scope | None) -> None:
    if scope is None:
        for status in ("401", "429"):
            del operation["responses"][status]
        return
    # the empty one: without keys on loopback, or where anyone is allowed
    operation["security"] = [{KEY_SCHEME: [scope]}, {}]


def _add_schema(schemas: dict[str, Any], name: str, adapter: TypeAdapter[Any]) -> None:
    schema = adapter.json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas[name] = schema


def _response(problem: type[ApiError]) -> dict[str, Any]:
    example = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.about,
        "instance": "req_5f1d7a3c9b2e4f60a1b2c3d4e5f60718",
    }
    content = {"application/problem+json": {"schema": PROBLEM_REFERENCE, "example": example}}
    return {"description": f"{problem.title}. {problem.about}", "content": content}
