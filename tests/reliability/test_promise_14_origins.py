"""Promise 14: what a request says a corpus is read from reaches no file and no network unless allowed.

An audit hook hears of every file that is opened or listed, and of every address looked up or connected
to, by whatever library.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from api.app import create_app
from api.errors import InvalidRequestError
from api.imports import _config
from api.schemas.datasets import NewDataset
from db.settings import Settings
from sip_model.corpora.origins import check_path, check_repo, check_uri
from sip_model.errors import CorpusError

_EVENTS = frozenset(
    {
        "open", "os.listdir", "os.scandir", "os.walk", "glob.glob", "socket.connect", "socket.getaddrinfo",
        "socket.gethostbyname", "socket.sendto", "subprocess.Popen", "os.system", "import", "urllib.Request",
    }
)  # fmt: skip


class Ears:
    """Hears what happens while it listens; a hook can't be taken out of the interpreter again."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[object, ...]]] = []
        self._listening = False
        sys.addaudithook(self._hear)

    @contextmanager
    def listening(self) -> Iterator[None]:
        self.heard.clear()
        self._listening = True
        try:
            yield
        finally:
            self._listening = False

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._listening and event in _EVENTS:
            self.heard.append((event, arguments))


@pytest.fixture(scope="session")
def ears() -> Ears:
    return Ears()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "t.jsonl").write_text('{"text": "x", "source": "a"}\n')
    (tmp_path / "secret.jsonl").write_text('{"text": "secret", "source": "a"}\n')
    (root / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    (root / "links").symlink_to(tmp_path)
    return root


PATHS = (
    "{root}/../secret.jsonl",
    "{root}/./../root/../secret.jsonl",
    "{root}/link.jsonl",
    "{root}/links/secret.jsonl",
    "{root}/t.jsonl/../../secret.jsonl",
    "{root}x/t.jsonl",
    "../secret.jsonl",
    "t.jsonl",
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    "~/.ssh/id_rsa",
    "file:///etc/passwd",
    "file://{root}/t.jsonl",
    "http://127.0.0.1:1/t.jsonl",
    "s3://bucket/t.jsonl",
    "\\\\host\\share\\t.jsonl",
    "{root}/%2e%2e/secret.jsonl",
    "{root}/none.jsonl",
    "",
)
URIS = (
    "file:///etc/passwd",
    "local:///etc/passwd",
    "memory://x/y",
    "http://127.0.0.1:1/t.jsonl",
    "https://example.com/t.jsonl",
    "gs://bucket/t.jsonl",
    "S3://bucket/t.jsonl",
    "s3:/bucket/t.jsonl",
    "s3://",
    "s3://bucket",
    "s3://bucket/",
    "s3:///t.jsonl",
    "s3://bucket/../other/t.jsonl",
    "s3://bucket/./t.jsonl",
    "s3://bucket//t.jsonl",
    "s3://user:secret@bucket/t.jsonl",
    "s3://bucket/*.jsonl",
    "s3://bucket/t[1].jsonl",
    "s3://bucket/t.jsonl?versionId=1",
    "s3://bucket/t.jsonl#x",
    "s3://bucket/t.jsonl::file:///etc/passwd",
    "simplecache::s3://bucket/t.jsonl",
    "zip://t.jsonl::s3://bucket/a.zip",
    "s3://bucket\\t.jsonl",
    "s3://bucket/t\n.jsonl",
    "/etc/passwd",
    "",
)
REPOS = (
    "someone/else",
    "EleutherAI",
    "EleutherAI/../someone/else",
    "EleutherAI/..",
    "EleutherAI/a/b",
    "EleutherAI/a--b",
    "EleutherAI/",
    "/EleutherAI/x",
    "http://127.0.0.1:1/EleutherAI/x",
    "file:///etc/passwd",
    "../../etc/passwd",
    "EleutherAI/pile?x=1",
    "EleutherAI/pile@main",
    "EleutherAI\\pile",
    "eleutherai/pile",
)
ALLOWED = ("EleutherAI/*", "Salesforce/wikitext")


def refusals(root: Path) -> dict[str, dict[str, Any]]:
    """Every origin that must be refused, by what it is called in a message."""
    origins: list[dict[str, Any]] = [{"path": path.format(root=root)} for path in PATHS]
    origins += [{"uri": uri} for uri in URIS]
    origins += [{"hub": {"repo": repo}} for repo in REPOS]
    for field, value in (("config", "../x"), ("split", "a/b"), ("revision", "../main"), ("revision", "a b")):
        origins.append({"hub": {"repo": "EleutherAI/pile", field: value}})
    for origin in ({"path": f"{root}/t.jsonl\0"}, {"uri": "s3://b/k\0"}, {"hub": {"repo": "EleutherAI/\0"}}):
        origins.append(origin)
    return {str(origin): origin for origin in origins}


def test_every_origin_that_is_not_allowed_is_a_4xx_and_makes_no_dataset(
    settings: Settings, root: Path
) -> None:
    strict = settings.model_copy(
        update={"data_roots": (root,), "allowed_uri_schemes": ("s3",), "allowed_hub_datasets": ALLOWED}
    )
    with TestClient(create_app(strict), base_url="http://127.0.0.1:8000") as client:
        for name, origin in refusals(root).items():
            response = client.post("/datasets", json={"name": "x", "from": origin})
            assert response.status_code == 422, (name, response.text)
            assert response.json()["errors"][0]["loc"][:2] == ["body", "from"], name
            assert "secret" not in response.text
        assert client.get("/datasets").json()["data"] == []
        assert client.get("/experiments").json()["data"] == []


def test_nothing_is_opened_listed_looked_up_or_connected_to_for_them(
    ears: Ears, settings: Settings, root: Path
) -> None:
    strict = settings.model_copy(
        update={"data_roots": (root,), "allowed_uri_schemes": ("s3",), "allowed_hub_datasets": ALLOWED}
    )
    for name, origin in refusals(root).items():
        with ears.listening(), pytest.raises((ValidationError, InvalidRequestError)):
            _config(strict, NewDataset.model_validate({"name": "x", "from": origin}))
        assert ears.heard == [], name


@pytest.mark.parametrize(
    "check",
    [
        lambda root: check_path("/etc/passwd\0", [root]),
        lambda root: check_path(f"{root}/t.jsonl", []),
        lambda root: check_uri("s3://bucket/t.jsonl", []),
        lambda root: check_repo("EleutherAI/pile", []),
    ],
)
def test_nothing_is_allowed_that_is_not_configured(
    ears: Ears, root: Path, check: Callable[[Path], object]
) -> None:
    with ears.listening(), pytest.raises(CorpusError):
        check(root)
    assert ears.heard == []


def test_the_ears_hear(ears: Ears, root: Path) -> None:
    with ears.listening():
        (root / "t.jsonl").read_text()
    assert [event for event, _ in ears.heard] == ["open"]


def test_what_is_allowed_passes(root: Path) -> None:
    assert check_path(f"{root}/t.jsonl", [root]) == root.resolve() / "t.jsonl"
    assert check_path(f"{root}", [root]) == root.resolve()
    assert check_uri("s3://bucket/some folder/Ünï.jsonl.gz", ["s3"]) == "Ünï.jsonl.gz"
    check_repo("EleutherAI/pile", ALLOWED)


def test_a_settings_file_cannot_allow_local_files_by_uri(settings: Settings) -> None:
    for scheme in ("file", "local", "memory", "http", "https", "zip", "simplecache"):
        with pytest.raises(ValueError, match="allowed_uri_schemes"):
            Settings(data_dir=settings.data_dir, allowed_uri_schemes=(scheme,))
