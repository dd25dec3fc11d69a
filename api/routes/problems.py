"""`/problems`: what the `type` of an error points to."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from api.errors import PROBLEMS, NoSuchResourceError
from api.openapi import errors

router = APIRouter(prefix="/problems", tags=["problems"])


@router.get(
    "/{type}",
    summary="Explain a kind of problem",
    response_class=HTMLResponse,
    responses=errors(NoSuchResourceError),
)
def get_problem(type: Annotated[str, Path(description="Last part of a problem's `type`.")]) -> HTMLResponse:
    """A page for people."""
    problem = PROBLEMS.get(type)
    if problem is None:
        raise NoSuchResourceError("There is no problem of this type.")
    title = escape(f"{problem.status} {problem.title}")
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<h1>{title}</h1><p>{escape(problem.about)}</p></html>"
    )
