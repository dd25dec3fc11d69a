from pathlib import Path

import pytest

from client import ApiError, Client
from tests.client.stand_in import StandIn

ROWS = '{"text": "a b c", "source": "x"}\n{"text": "d e f", "source": "y"}\n'


def test_an_upload_sends_the_file_its_name_and_the_key(
    client: Client, stand_in: StandIn, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(ROWS)
    dataset = client.datasets.upload(corpus, "mine", format="jsonl")
    assert dataset["num_documents"] == 2
    assert stand_in.bodies == [{"name": "mine", "filename": "corpus.jsonl", "format": "jsonl"}]
    assert stand_in.headers[0]["authorization"] == "Bearer sip_secret"


def test_a_refused_corpus_names_line_and_field(client: Client, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"broken": 1}\n')
    with pytest.raises(ApiError) as caught:
        client.datasets.upload(corpus, "mine")
    assert caught.value.status == 422
    assert caught.value.errors[0].loc == ("body", "file", "line 2", "source")
    assert str(caught.value) == (
        "422 Invalid corpus: line 2 can't be used\n  body.file.line 2.source: expected a name; found null"
    )


def test_a_builtin_takes_its_own_name_unless_given_another(client: Client, stand_in: StandIn) -> None:
    client.datasets.builtin("python-docs")
    client.datasets.builtin("python-docs", "docs")
    assert stand_in.bodies == [
        {"name": "python-docs", "from": {"builtin": "python-docs"}},
        {"name": "docs", "from": {"builtin": "python-docs"}},
    ]
    assert [dataset["name"] for dataset in client.datasets.list()["data"]] == ["python-docs", "docs"]


def test_a_name_with_odd_characters_reaches_the_service_whole(client: Client) -> None:
    client.datasets.from_path("/data/x.csv", "50 % of what? #1")
    assert client.datasets.get("50 % of what? #1")["id"] == "ds_0"
    client.datasets.delete("50 % of what? #1")
    assert client.datasets.list()["data"] == []


def test_sources_are_followed_over_all_pages(client: Client) -> None:
    names = [source["name"] for source in client.datasets.sources("a/b")]
    assert names == [f"source {i}" for i in range(1200)]


def test_an_import_is_waited_for(client: Client, stand_in: StandIn) -> None:
    importing = client.datasets.from_hub("acme/tales", "tales", split="train", format="wikitext")
    assert (importing["status"], importing["experiment"]) == ("importing", "exp_0")
    assert stand_in.bodies == [
        {"name": "tales", "format": "wikitext", "from": {"hub": {"repo": "acme/tales", "split": "train"}}}
    ]
    ready = client.wait_for_dataset(importing)
    assert (ready["status"], ready["num_documents"]) == ("ready", 4)
    assert client.wait_for_dataset(ready) is ready
    stand_in.ends_as = "failed"
    failed = client.wait_for_dataset(client.datasets.from_uri("s3://b/k.csv", "k"))
    assert failed["status"] == "failed"
    assert failed["error"] == {"type": "CorpusError", "message": "line 3: expected a JSON object"}
