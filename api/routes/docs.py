"""`/docs`: the OpenAPI document as a page for people, with forms to try requests.

Swagger UI comes from a public host, as exactly the files whose hashes stand here: the browser refuses others.
Nothing of the page runs inline.
"""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

router = APIRouter(include_in_schema=False)

_HOST = "https://cdn.jsdelivr.net"
_FILES = f"{_HOST}/npm/swagger-ui-dist@5.29.0"
_SCRIPT_HASH = "sha384-fU7N0ipr7Rsi0J81QNqlN7WXb/tyAL8b16lEAJ2a01m7wdX+RU61ggqmxn8p3aJb"
_STYLE_HASH = "sha384-++DMKo1369T5pxDNqojF1F91bYxYiT1N7b1M15a7oCzEodfljztKlApQoH6eQSKI"
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; script-src 'self' {_HOST}; style-src {_HOST} 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Source identification</title>
<link rel="stylesheet" href="{_FILES}/swagger-ui.css" integrity="{_STYLE_HASH}" crossorigin="anonymous">
<main id="swagger-ui"><noscript>This page needs scripts; <a href="/openapi.json">the document itself</a>
does not.</noscript></main>
<script src="{_FILES}/swagger-ui-bundle.js" integrity="{_SCRIPT_HASH}" crossorigin="anonymous"></script>
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
