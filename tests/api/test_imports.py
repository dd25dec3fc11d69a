"""`POST /datasets` for what a worker imports: from 202 to `ready` or `failed`, with a worker's process."""

import gzip
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from sip_model.corpora.store import Corpus
from tests.api.conftest import BASE_URL, CORPUS, assert_problem
from tests.servers.hub import COMMIT, HubServer, running_hub
from tests.servers.s3 import S3Server, environment
from worker.device import CPU
from worker.supervisor import Supervisor

Work = Callable[[str], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with a corpus in it."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "t.jsonl").write_bytes(CORPUS)
    return root


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    """A hub with one repository of two splits, and a script."""
    folder = tmp_path / "hub" / "acme" / "tales"
    (folder / "data").mkdir(parents=True)
    (folder / "tales.py").write_text("raise SystemExit")
    (folder / "data" / "train.jsonl").write_bytes(CORPUS)
    (folder / "data" / "test.jsonl").write_text('{"text": "A last one.", "source": "sea"}\n')
    with running_hub(tmp_path / "hub") as server:
        yield server


@pytest.fixture
def settings(settings: Settings, root: Path, hub: HubServer) -> Settings:
    update = {
        "data_roots": (root,),
        "hub_endpoint": hub.url,
        "allowed_hub_datasets": ("acme/*",),
        "allowed_uri_schemes": ("s3",),
        "max_import_bytes": 10_000,
        "max_attempts": 1,
        "lease_seconds": 30.0,
        "stop_seconds": 20.0,
    }
    return settings.model_copy(update=update)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def work(settings: Settings, database: Database, store: ArtifactStore) -> Iterator[Work]:
    """Runs an experiment as a worker does, in a process of its own, to its end."""
    supervisor = Supervisor(
        settings=settings,
        database=database,
        store=store,
        worker="test",
        device=CPU,
        stopping=threading.Event(),
    )
    yield supervisor.run
    supervisor.template.end()


def post(client: TestClient, path: Path, name: str = "tales", **more: str) -> dict[str, Any]:
    return post_origin(client, {"path": str(path)}, name, **more)


def post_origin(
    client: TestClient, origin: dict[str, Any], name: str = "tales", **more: str
) -> dict[str, Any]:
    response = client.post("/datasets", json={"name": name, "from": origin, **more})
    assert response.status_code == 202, response.text
    resource: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/datasets/{resource['id']}"
    return resource


def test_a_path_is_imported_by_a_worker(
    client: TestClient, work: Work, root: Path, store: ArtifactStore, database: Database
) -> None:
    made = post(client, root / "t.jsonl")
    assert (made["status"], made["format"], made["sha256"], made["num_documents"]) == (
        "importing",
        "jsonl",
        None,
        0,
    )
    queued = client.get(f"/experiments/{made['experiment']}").json()
    assert (queued["kind"], queued["status"], queued["dataset"]) == ("ingest", "queued", made["id"])
    assert_problem(client.delete("/datasets/tales"), 409)
    refused = client.post("/experiments", json={"kind": "train", "dataset": "tales"})
    assert (
        "found one whose status is importing" in assert_problem(refused, 422, ["body", "dataset"])["detail"]
    )

    work(made["experiment"])
    ready = client.get("/datasets/tales").json()
    assert (ready["status"], ready["num_documents"], ready["num_sources"]) == ("ready", 3, 2), ready
    assert (ready["error"], ready["origin"]) == (None, {"path": str(root / "t.jsonl")})
    assert [row["name"] for row in client.get("/datasets/tales/sources").json()["data"]] == [
        "sea",
        "mountain",
    ]
    assert client.get(f"/experiments/{made['experiment']}").json()["status"] == "succeeded"
    (key,) = [file.key for file in store.files()]
    assert len(list(Corpus(store.local_path(key)).documents())) == 3
    assert client.post("/experiments", json={"kind": "train", "dataset": "tales"}).status_code == 202


def test_an_uploaded_and_an_imported_corpus_are_the_same(client: TestClient, work: Work, root: Path) -> None:
    uploaded = client.post("/datasets", data={"name": "up"}, files={"file": ("t.jsonl", CORPUS)}).json()
    work(post(client, root / "t.jsonl")["experiment"])
    assert client.get("/datasets/tales").json()["sha256"] == uploaded["sha256"]


def test_a_corpus_that_cannot_be_used_fails_with_line_and_field_and_leaves_nothing(
    client: TestClient, work: Work, root: Path, store: ArtifactStore
) -> None:
    (root / "bad.jsonl").write_bytes(CORPUS + b'{"text": "no source"}\n')
    made = post(client, root / "bad.jsonl")
    work(made["experiment"])
    failed = client.get("/datasets/tales").json()
    assert (failed["status"], failed["sha256"], failed["origin"]) == ("failed", None, None)
    assert failed["error"]["type"] == "CorpusError"
    assert failed["error"]["message"].startswith("line 4.source: expected a source; found none")
    assert store.files() == []
    refused = client.post("/experiments", json={"kind": "train", "dataset": "tales"})
    assert_problem(refused, 422, ["body", "dataset"])
    assert client.delete("/datasets/tales").status_code == 204
    assert_problem(client.get("/datasets/tales"), 404)


def test_a_failed_import_is_tried_again(client: TestClient, work: Work, root: Path) -> None:
    (root / "late.jsonl").write_bytes(b"{}\n")
    made = post(client, root / "late.jsonl")
    work(made["experiment"])
    assert client.get("/datasets/tales").json()["status"] == "failed"
    (root / "late.jsonl").write_bytes(CORPUS)
    assert client.post(f"/experiments/{made['experiment']}/retry").status_code == 202
    again = client.get("/datasets/tales").json()
    assert (again["status"], again["error"]) == ("importing", None)
    work(made["experiment"])
    assert client.get("/datasets/tales").json()["status"] == "ready"
    assert_problem(client.post(f"/experiments/{made['experiment']}/retry"), 409)


def test_a_cancelled_import_fails_and_its_dataset_can_go(client: TestClient, root: Path) -> None:
    made = post(client, root / "t.jsonl")
    assert client.post(f"/experiments/{made['experiment']}/cancel").status_code == 202
    failed = client.get("/datasets/tales").json()
    assert (failed["status"], failed["error"]["type"]) == ("failed", "Cancelled")
    assert client.delete("/datasets/tales").status_code == 204


def test_the_dataset_outlives_the_experiment_that_imported_it(
    client: TestClient, work: Work, root: Path, store: ArtifactStore
) -> None:
    made = post(client, root / "t.jsonl")
    work(made["experiment"])
    assert client.delete(f"/experiments/{made['experiment']}").status_code == 204
    assert client.get("/datasets/tales").json()["status"] == "ready"
    assert len(store.files()) == 1
    assert client.delete("/datasets/tales").status_code == 204
    assert store.files() == []


def test_a_file_that_has_gone_or_left_the_root_since_fails(
    client: TestClient, work: Work, root: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_bytes(CORPUS)
    made = post(client, root / "t.jsonl")
    (root / "t.jsonl").unlink()
    (root / "t.jsonl").symlink_to(secret)
    work(made["experiment"])
    failed = client.get("/datasets/tales").json()
    assert failed["status"] == "failed"
    assert "inside a data root" in failed["error"]["message"]


def test_a_folder_is_imported_in_the_format_its_name_or_the_request_tells(
    client: TestClient, work: Work, root: Path
) -> None:
    for name in ("pg19", "books"):
        folder = root / name
        folder.mkdir()
        (folder / "metadata.csv").write_text("1,One,1900,\n2,Two,1901,\n")
        (folder / "1.txt").write_text("The first book.")
        (folder / "2.txt").write_text("The second book.")
    work(post(client, root / "pg19", "a")["experiment"])
    work(post(client, root / "books", "b", format="pg19")["experiment"])
    first, second = client.get("/datasets/a").json(), client.get("/datasets/b").json()
    assert (first["status"], first["format"]) == ("ready", "pg19"), first
    assert first["sha256"] == second["sha256"]
    refused = client.post(
        "/datasets", json={"name": "c", "format": "jsonl", "from": {"path": str(root / "books")}}
    )
    assert_problem(refused, 422, ["body", "format"])


def test_an_import_sent_again_with_its_key_is_made_once(client: TestClient, root: Path) -> None:
    body = {"name": "tales", "from": {"path": str(root / "t.jsonl")}}
    headers = {"Idempotency-Key": "one"}
    first, second = (client.post("/datasets", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["idempotent-replayed"] == "true"
    assert len(client.get("/experiments", params={"kind": "ingest"}).json()["data"]) == 1
    assert_problem(client.post("/datasets", json=body), 409)


def test_an_import_is_no_kind_that_a_request_may_name(client: TestClient) -> None:
    response = client.post("/experiments", json={"kind": "ingest", "dataset": "x", "config": {}})
    assert_problem(response, 422, ["body", "kind"])


def test_a_repository_of_the_hub_is_imported_at_the_commit_it_stands_at(
    client: TestClient, work: Work, hub: HubServer
) -> None:
    made = post_origin(client, {"hub": {"repo": "acme/tales"}})
    assert (made["status"], made["format"], hub.requests) == ("importing", "hub", [])
    work(made["experiment"])
    ready = client.get("/datasets/tales").json()
    assert (ready["status"], ready["num_documents"]) == ("ready", 4), ready
    assert ready["origin"]["hub"] == {
        "repo": "acme/tales",
        "config": None,
        "split": None,
        "text_column": "text",
        "source_column": "source",
        "revision": COMMIT,
    }
    assert sorted(hub.fetched) == ["data/test.jsonl", "data/train.jsonl"]


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ({"repo": "acme/none"}, "hub.repo: expected a dataset repository of the hub; found none"),
        ({"repo": "acme/tales", "split": "dev"}, "hub.split: expected one of train, test"),
        ({"repo": "acme/tales", "source_column": "by"}, "expected the columns text and by"),
    ],
)
def test_what_the_hub_does_not_have_fails_the_import(
    client: TestClient, work: Work, store: ArtifactStore, origin: dict[str, str], message: str
) -> None:
    work(post_origin(client, {"hub": origin})["experiment"])
    failed = client.get("/datasets/tales").json()
    assert failed["status"] == "failed"
    assert message in failed["error"]["message"]
    assert store.files() == []


def test_a_repository_over_the_limit_fails_before_it_is_fetched(
    client: TestClient, work: Work, hub: HubServer
) -> None:
    (hub.folder / "acme" / "tales" / "data" / "train.jsonl").write_bytes(CORPUS * 100)
    work(post_origin(client, {"hub": {"repo": "acme/tales"}})["experiment"])
    error = client.get("/datasets/tales").json()["error"]
    assert "expected at most 10000 bytes of data files" in error["message"]
    assert hub.fetched == []


def test_a_hub_that_is_away_is_asked_again_until_the_attempts_are_used_up(
    client: TestClient, work: Work, hub: HubServer
) -> None:
    hub.broken = True
    work(post_origin(client, {"hub": {"repo": "acme/tales"}})["experiment"])
    error = client.get("/datasets/tales").json()["error"]
    assert error["message"].startswith("the hub doesn't answer")
    assert error["message"].endswith("given up after 1 such attempts")


def test_a_uri_of_an_object_store_is_imported(client: TestClient, work: Work, s3: S3Server) -> None:
    s3.make_bucket("corpora")
    s3.send("PUT", "/corpora/some/t.jsonl.gz", gzip.compress(CORPUS))
    s3.send("PUT", "/corpora/large.jsonl", CORPUS * 100)
    with environment(s3.environment):
        for name, key in (("a", "some/t.jsonl.gz"), ("b", "large.jsonl"), ("c", "none.jsonl")):
            work(post_origin(client, {"uri": f"s3://corpora/{key}"}, name)["experiment"])
    ready, large, missing = (client.get(f"/datasets/{name}").json() for name in "abc")
    assert (ready["status"], ready["num_documents"], ready["format"]) == ("ready", 3, "jsonl"), ready
    assert ready["origin"] == {"uri": "s3://corpora/some/t.jsonl.gz"}
    assert "uri: expected at most 10000 bytes" in large["error"]["message"]
    assert missing["error"]["message"].startswith("none.jsonl: expected a stored file, found none")
