"""`/datasets` through the real application."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from db.settings import Settings
from tests.api.conftest import BASE_URL, CORPUS, assert_problem, jsonl, upload


def kept_files(settings: Settings) -> list[Path]:
    return [path for path in settings.data_dir.rglob("*") if path.is_file()]


def test_an_upload_is_read_stored_and_found_by_id_and_name(client: TestClient, settings: Settings) -> None:
    response = client.post("/datasets", data={"name": "tales"}, files={"file": ("t.jsonl", CORPUS)})
    assert response.status_code == 201
    made = response.json()
    assert response.headers["location"] == f"/datasets/{made['id']}"
    assert made["id"].startswith("ds_")
    assert (made["name"], made["status"], made["format"]) == ("tales", "ready", "jsonl")
    assert (made["num_documents"], made["num_sources"]) == (3, 2)
    assert client.get(f"/datasets/{made['id']}").json() == made
    assert client.get("/datasets/tales").json() == made
    assert [path.name for path in kept_files(settings)] == ["corpus.parquet"]


def test_sources_come_in_order_of_appearance_and_by_page(client: TestClient) -> None:
    upload(client)
    first = client.get("/datasets/tales/sources", params={"limit": 1}).json()
    assert [(source["number"], source["name"]) for source in first["data"]] == [(0, "sea")]
    assert first["has_more"]
    second = client.get("/datasets/tales/sources", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [(source["number"], source["name"]) for source in second["data"]] == [(1, "mountain")]
    assert (second["has_more"], second["next_cursor"]) == (False, None)


def test_a_list_is_paged_in_both_orders(client: TestClient) -> None:
    names = [f"d{number}" for number in range(5)]
    for name in names:
        upload(client, name)
    for order, expected in (("asc", names), ("desc", names[::-1])):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            params: dict[str, str | int] = {"limit": 2, "order": order}
            if cursor is not None:
                params["cursor"] = cursor
            page = client.get("/datasets", params=params).json()
            seen += [row["name"] for row in page["data"]]
            cursor = page["next_cursor"]
            assert page["has_more"] == (cursor is not None)
            if cursor is None:
                break
        assert seen == expected


def test_a_gzipped_csv_and_a_zip_of_folders_are_read(client: TestClient) -> None:
    csv = gzip.compress(b"text,source\nOne text here,a\nAnother text there,b\n")
    assert upload(client, "csv", csv, "c.csv.gz")["format"] == "csv"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/one.txt", "Some words of a.")
        archive.writestr("b/two.txt", "Some words of b.")
    assert upload(client, "zip", buffer.getvalue(), "z.zip")["num_sources"] == 2


def test_a_format_given_wins_over_the_file_name(client: TestClient) -> None:
    response = client.post(
        "/datasets", data={"name": "x", "format": "jsonl"}, files={"file": ("corpus.txt", CORPUS)}
    )
    assert response.status_code == 201


def test_a_deleted_dataset_is_gone_with_its_file(client: TestClient, settings: Settings) -> None:
    made = upload(client)
    assert client.delete(f"/datasets/{made['id']}").status_code == 204
    assert_problem(client.get("/datasets/tales"), 404)
    assert_problem(client.delete("/datasets/tales"), 404)
    assert kept_files(settings) == []


def test_a_dataset_in_use_is_not_deleted(client: TestClient) -> None:
    upload(client)
    assert client.post("/experiments", json={"kind": "train", "dataset": "tales"}).status_code == 202
    assert_problem(client.delete("/datasets/tales"), 409)


def test_a_name_is_given_once(client: TestClient, settings: Settings) -> None:
    upload(client)
    response = client.post("/datasets", data={"name": "tales"}, files={"file": ("t.jsonl", CORPUS)})
    assert_problem(response, 409)
    assert len(kept_files(settings)) == 1


BAD_CORPORA = {
    "a broken line": (b'{"text": "one", "source": "a"}\n{"text": "tw', "t.jsonl", "line 2"),
    "no source": (jsonl({"text": "one"}), "t.jsonl", "line 1"),
    "one source only": (
        jsonl({"text": "one", "source": "a"}, {"text": "two", "source": "a"}),
        "t.jsonl",
        "sources",
    ),
    "binary bytes": (bytes(range(256)) * 10, "t.jsonl", "line 1"),
    "0 bytes": (b"", "t.jsonl", "file"),
    "gzip cut short": (gzip.compress(CORPUS)[:-9], "t.jsonl.gz", None),
    "a zip that is none": (b"PK\x03\x04nonsense", "t.zip", None),
    "a parquet that is none": (b"PAR1", "t.parquet", None),
    "blank text": (jsonl({"text": " ", "source": "a"}), "t.jsonl", "line 1"),
    "a wrong type": (jsonl({"text": 5, "source": "a"}), "t.jsonl", "line 1"),
}


@pytest.mark.parametrize("case", BAD_CORPORA)
def test_a_corpus_that_cannot_be_used_is_refused_and_leaves_nothing(
    case: str, client: TestClient, settings: Settings
) -> None:
    body, filename, place = BAD_CORPORA[case]
    response = client.post("/datasets", data={"name": "bad"}, files={"file": (filename, body)})
    problem = assert_problem(response, 422)
    (error,) = problem["errors"]
    assert error["loc"][:2] == ["body", "file"]
    assert "expected" in error["msg"]
    assert "found" in error["msg"]
    if place is not None:
        assert place in error["loc"]
    assert client.get("/datasets").json()["data"] == []
    assert kept_files(settings) == []


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "..", "a\\b", "a@2", "ds_x", "default", "x" * 201, "tab\tbed", " edge", "nul\0"]
)
def test_a_name_that_cannot_stand_in_a_path_is_refused(name: str, client: TestClient) -> None:
    response = client.post("/datasets", data={"name": name}, files={"file": ("t.jsonl", CORPUS)})
    assert_problem(response, 422, ["body", "name"])


def test_an_unknown_file_name_ending_names_the_formats(client: TestClient) -> None:
    response = client.post("/datasets", data={"name": "x"}, files={"file": ("t.docx", CORPUS)})
    assert "jsonl" in assert_problem(response, 422, ["body", "format"])["detail"]


def test_a_multipart_body_without_file_name_or_with_more_is_refused(client: TestClient) -> None:
    file = {"file": ("t.jsonl", CORPUS)}
    assert_problem(client.post("/datasets", files=file), 422, ["body", "name"])
    assert_problem(client.post("/datasets", files={"name": (None, "x")}), 422, ["body", "file"])
    assert_problem(client.post("/datasets", data={"name": "x", "colour": "red"}, files=file), 422)
    assert_problem(client.post("/datasets", data={"name": ["x", "y"]}, files=file), 422, ["body", "name"])


def test_a_broken_multipart_body_is_malformed(client: TestClient) -> None:
    kind = {"content-type": "multipart/form-data; boundary=b"}
    cut = b'--b\r\nContent-Disposition: form-data; name="file"; filename="t.jsonl"\r\n\r\n{"te'
    assert_problem(client.post("/datasets", content=cut, headers=kind), 400)
    assert_problem(client.post("/datasets", content=b"nonsense", headers=kind), 400)
    without = {"content-type": "multipart/form-data"}
    assert_problem(client.post("/datasets", content=cut, headers=without), 400)
    assert_problem(client.post("/datasets", content=b"x", headers={"content-type": "text/plain"}), 415)


def test_an_upload_over_the_limit_is_refused_while_it_arrives(settings: Settings) -> None:
    small = settings.model_copy(update={"max_upload_bytes": 10_000})
    with TestClient(create_app(small), base_url=BASE_URL) as client:
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="t.jsonl"\r\n\r\n'
        blocks = [head, *[b"x" * 1000] * 100]
        kind = {"content-type": "multipart/form-data; boundary=b"}
        assert_problem(client.post("/datasets", content=iter(blocks), headers=kind), 413)
        assert_problem(client.post("/datasets", content=b"".join(blocks), headers=kind), 413)
    assert kept_files(small) == []


def test_an_origin_is_exactly_one_known_one(client: TestClient) -> None:
    post = client.post
    assert_problem(
        post("/datasets", json={"name": "x", "from": {"builtin": "no"}}), 422, ["body", "from", "builtin"]
    )
    assert_problem(post("/datasets", json={"name": "x", "from": {}}), 422, ["body", "from"])
    assert_problem(post("/datasets", json={"name": "x"}), 422, ["body", "from"])
    assert_problem(
        post("/datasets", json={"name": "x", "from": {"hub": {}}}), 422, ["body", "from", "hub", "repo"]
    )
    both = {"builtin": "python-docs", "path": "/x"}
    assert_problem(post("/datasets", json={"name": "x", "from": both}), 422, ["body", "from"])
    builtin = {"name": "x", "format": "csv", "from": {"builtin": "python-docs"}}
    assert_problem(post("/datasets", json=builtin), 422, ["body", "format"])


def test_a_stopping_service_reads_no_corpus_to_its_end(client: TestClient, settings: Settings) -> None:
    assert client.portal is not None
    stopping = client.app.state.services.stopping  # type: ignore[attr-defined]  # Starlette's app
    client.portal.start_task_soon(stopping.set).result()
    response = client.post("/datasets", data={"name": "late"}, files={"file": ("t.jsonl", CORPUS)})
    assert_problem(response, 503)
    assert kept_files(settings) == []


def test_a_cursor_of_another_list_is_refused(client: TestClient) -> None:
    for cursor in ("%%%", "AAAA", "ü", "x" * 501):
        assert_problem(client.get("/datasets/", params={"cursor": cursor}), 422, ["query", "cursor"])


def test_sample_chunks_are_cut_out_of_distinct_documents(client: TestClient) -> None:
    upload(client)
    chunks = client.get("/datasets/tales/chunks", params={"num_words": 4}).json()["data"]
    assert [chunk["sources"] for chunk in chunks] == [["sea"], ["sea"], ["mountain"]]
    texts = [json.loads(line)["text"] for line in CORPUS.splitlines()]
    for chunk, text in zip(chunks, texts, strict=True):
        assert chunk["text"] == text[chunk["start"] : chunk["end"]]
        assert len(chunk["text"].split()) in (4, 5)
    assert client.get("/datasets/tales/chunks", params={"num_words": 4}).json()["data"] == chunks
    assert len(client.get("/datasets/tales/chunks", params={"limit": 2}).json()["data"]) == 2
    assert_problem(client.get("/datasets/tales/chunks", params={"limit": 21}), 422, ["query", "limit"])
    assert_problem(client.get("/datasets/none/chunks"), 404)
