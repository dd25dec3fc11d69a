"""Files for browsers: our own pages, and those that ship inside of Python packages."""

from importlib.util import find_spec
from os import PathLike, stat_result
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ASK_EACH_TIME = "no-cache"
"""A copy may be kept, but the service is asked whether it still holds: the files change with its version."""
WEB_FILES = frozenset({".html", ".css", ".js", ".svg"})


def package_folder(package: str) -> Path:
    """Where an installed package lies; it isn't imported.

    Raises `ModuleNotFoundError` when it isn't installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the package {package} is not installed", name=package)
    return Path(spec.submodule_search_locations[0])


class PageFiles(StaticFiles):
    """The files of the folder `web` that a browser reads, and nothing else that lies there."""

    def __init__(self) -> None:
        super().__init__(directory=package_folder("web"))

    def lookup_path(self, path: str) -> tuple[str, stat_result | None]:
        """Nothing for files of other kinds, such as Python's."""
        return super().lookup_path(path) if Path(path).suffix in WEB_FILES else ("", None)

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, or 304 where the browser's copy still holds."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = ASK_EACH_TIME
        return response
