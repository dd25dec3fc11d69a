"""`/docs`: the OpenAPI document as a page for people, with forms to try requests.

Swagger UI comes out of a Python package, so the page needs no other host. Nothing of the page runs inline.
"""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

from api.static_files import ASK_EACH_TIME, package_folder

router = APIRouter(include_in_schema=False)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Source identification</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<main id="swagger-ui"><noscript>This page needs scripts; <a href="/openapi.json">the document itself</a>
does not.</noscript></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
_START = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true});
"""


@router.get("/docs")
def get_docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@router.get("/docs/start.js")
def get_start() -> Response:
    """What the page runs of ours."""
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{file}")
def get_swagger_ui(file: Literal["swagger-ui-bundle.js", "swagger-ui.css"]) -> FileResponse:
    """Swagger UI itself."""
    return FileResponse(
        package_folder("fastapi_offline") / "static" / file, headers={"Cache-Control": ASK_EACH_TIME}
    )
