"""`/`: the pages for people. They are files that use the public API like any other client."""

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse

from api.static_files import ASK_EACH_TIME, PageFiles, package_folder

router = APIRouter(include_in_schema=False)

# Two style elements that Plotly makes: an empty one, which it fills by script, and that of its maps.
_PLOTLY_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='"
)
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {_PLOTLY_STYLES}; img-src 'self' data: blob:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@router.get("/")
def get_pages() -> FileResponse:
    """The one document; what it shows is named after the `#`, which no server sees."""
    return FileResponse(
        package_folder("web") / "index.html",
        headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": ASK_EACH_TIME},
    )


@router.get("/web/lib/plotly.js")
def get_plotly() -> FileResponse:
    """The library that draws the charts, out of its Python package."""
    return FileResponse(
        package_folder("plotly") / "package_data" / "plotly.min.js",
        media_type="text/javascript",
        headers={"Cache-Control": ASK_EACH_TIME},
    )


def add_pages(app: FastAPI) -> None:
    """Serve the pages and their files."""
    app.include_router(router)
    app.mount("/web", PageFiles(), name="web")
