"""A hub of dataset repositories: folders of this machine behind the paths of the Hugging Face Hub's API."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
"""Of every repository's main branch, the only one there is."""

_INFO = re.compile(r"/api/datasets/(?P<repo>[^/]+(?:/[^/]+)?)(?:/revision/(?P<revision>.+))?")
_FILE = re.compile(r"/datasets/(?P<repo>[^/]+(?:/[^/]+)?)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")


class HubServer:
    """A running server.

    Args:
        folder: holds ``<owner>/<name>/`` with the files of each repository.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.requests: list[str] = []
        """Method and path of every request."""
        self.broken = False
        """Whether it answers 500 to everything."""
        self.gated: set[str] = set()
        """Repositories that nobody may read."""

    @property
    def fetched(self) -> list[str]:
        """Names of the files that were sent."""
        found = (_FILE.fullmatch(request.removeprefix("GET ")) for request in self.requests)
        return [match["file"] for match in found if match]


@contextmanager
def running_hub(folder: Path) -> Iterator[HubServer]:
    """A server on a free port, ended with the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, hub)

        do_HEAD = do_GET  # noqa: N815 - the library's name

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = HubServer(folder, server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, hub: HubServer) -> None:
    path = unquote(urlsplit(handler.path).path)
    hub.requests.append(f"{handler.command} {path}")
    info, file = _INFO.fullmatch(path), _FILE.fullmatch(path)
    found = info or file
    if hub.broken:
        return _send(handler, 500, b"", {})
    if found is None or not (hub.folder / found["repo"]).is_dir():
        return _send(handler, 404, b"{}", {"X-Error-Code": "RepoNotFound"})
    if found["repo"] in hub.gated:
        return _send(handler, 403, b"{}", {"X-Error-Code": "GatedRepo"})
    if found["revision"] not in (None, "main", COMMIT):
        return _send(handler, 404, b"{}", {"X-Error-Code": "RevisionNotFound"})
    folder = hub.folder / found["repo"]
    if info is not None:
        return _send(handler, 200, json.dumps(_describe(found["repo"], folder)).encode(), {})
    target = folder / found["file"]
    if not target.is_file():
        return _send(handler, 404, b"", {"X-Error-Code": "EntryNotFound"})
    content = target.read_bytes()
    headers = {"ETag": f'"{sha1(content, usedforsecurity=False).hexdigest()}"', "X-Repo-Commit": COMMIT}
    return _send(handler, 200, content, headers)


def _describe(repo: str, folder: Path) -> dict[str, object]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    siblings = [
        {"rfilename": path.relative_to(folder).as_posix(), "size": path.stat().st_size} for path in files
    ]
    return {"id": repo, "sha": COMMIT, "siblings": siblings, "private": False, "tags": [], "downloads": 0}


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
