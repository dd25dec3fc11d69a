"""What an answer of `POST /classify` rests on, with a model that was really trained."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from tests.api.conftest import assert_problem, upload
from tests.api.trained import SOURCES, SUBJECTS, TEXTS, document_of, publish_trained_model

TRAINED = [number for number in range(len(TEXTS)) if number % 5 < 3]


@pytest.fixture
def experiment(client: TestClient) -> str:
    """The experiment that models are published under."""
    upload(client)
    return str(client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"])


@pytest.fixture
def model(experiment: str, database: Database, store: ArtifactStore, tmp_path: Path) -> str:
    """A hybrid model, the default; returns its id."""
    return publish_trained_model(database, store, tmp_path, experiment)


def classify(client: TestClient, **body: Any) -> list[dict[str, Any]]:
    response = client.post("/classify", json=body)
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_a_quotation_leads_to_its_passage_with_exact_offsets(client: TestClient, model: str) -> None:
    quotes = [TEXTS[number] for number in TRAINED]
    texts = [f"As they say: “{quote}” So it was." for quote in quotes]
    for number, text, result in zip(TRAINED, texts, classify(client, input=texts, evidence=3), strict=True):
        first = result["evidence"][0]
        assert first["document"] == document_of(number)
        assert (first["source"], first["sources"]) == (SOURCES[number], [SOURCES[number]])
        assert list(SUBJECTS)[first["source_id"]] == first["source"]
        assert (first["start"], first["end"]) == (0, len(TEXTS[number]))
        assert first["text"] == TEXTS[number]
        (span,) = first["shared"]
        assert text[span["start"] : span["end"]] == TEXTS[number]
        assert (span["document_start"], span["document_end"]) == (0, len(TEXTS[number]))
        assert span["words"] == len(TEXTS[number].split())
        assert len(result["evidence"]) == 3


def test_evidence_is_there_only_where_asked_for(client: TestClient, model: str) -> None:
    (result,) = classify(client, input=TEXTS[0])
    assert "evidence" not in result
    assert "conformal_set" not in result
    assert_problem(client.post("/classify", json={"input": "x", "evidence": 11}), 422, ["body", "evidence"])


def test_evidence_does_not_depend_on_the_other_texts(client: TestClient, model: str) -> None:
    together = classify(client, input=[*TEXTS, "x"], evidence=2)
    for number in (4, 9):
        (alone,) = classify(client, input=TEXTS[number], evidence=2)
        for one, other in zip(alone["evidence"], together[number]["evidence"], strict=True):
            assert one["document"] == other["document"]
            assert one["similarity"] == pytest.approx(other["similarity"], abs=1e-4)


def test_a_lexical_model_has_evidence_too(
    client: TestClient, experiment: str, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    publish_trained_model(database, store, tmp_path, experiment, "lexical")
    (result,) = classify(client, input=TEXTS[0], evidence=1, coverage=0.9)
    assert result["evidence"][0]["document"] == document_of(0)
    assert result["evidence"][0]["similarity"] == pytest.approx(1, abs=1e-3)


def test_a_model_that_keeps_no_passages_says_so(
    client: TestClient, experiment: str, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    publish_trained_model(database, store, tmp_path, experiment, "lexical", keeps_evidence=False)
    problem = assert_problem(
        client.post("/classify", json={"input": "x", "evidence": 1}), 422, ["body", "evidence"]
    )
    assert "keeps no passages" in problem["errors"][0]["msg"]
    assert client.post("/classify", json={"input": "x"}).status_code == 200


def test_deleting_a_dataset_takes_its_text_out_of_the_models(
    client: TestClient, settings: Settings, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    dataset = upload(client)["id"]
    experiment = client.post("/experiments", json={"kind": "train", "dataset": dataset}).json()["id"]
    model = publish_trained_model(database, store, tmp_path, experiment, "lexical", dataset_id=dataset)
    (path,) = settings.data_dir.rglob(f"{model}/evidence.safetensors")
    before = client.get(f"/models/{model}").json()
    (result,) = classify(client, input=TEXTS[0], evidence=1)
    assert result["evidence"]
    assert client.post(f"/experiments/{experiment}/cancel").status_code == 202
    assert client.delete(f"/datasets/{dataset}").status_code == 204

    assert not path.exists()
    assert_problem(client.post("/classify", json={"input": "x", "evidence": 1}), 422, ["body", "evidence"])
    after = client.get(f"/models/{model}").json()
    assert after["num_bytes"] < before["num_bytes"]
    assert after["sha256"] != before["sha256"]
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8000") as fresh:
        assert fresh.post("/classify", json={"input": "x"}).status_code == 200
        assert fresh.get(f"/models/{model}/download").status_code == 200


def test_damaged_evidence_is_never_read(client: TestClient, model: str, settings: Settings) -> None:
    (path,) = settings.data_dir.rglob(f"{model}/evidence.safetensors")
    assert client.post("/classify", json={"input": "x"}).status_code == 200
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert_problem(client.post("/classify", json={"input": "x", "evidence": 1}), 503)


def test_a_long_text_is_read_in_windows_to_its_end(client: TestClient, model: str) -> None:
    sea, kitchen = TEXTS[0], TEXTS[-1]
    text = " ".join([sea] * 30 + [kitchen] * 30)
    (result,) = classify(client, input=text, evidence=2)
    assert not result["truncated"]
    windows = result["windows"]
    assert len(windows) > 4
    assert (windows[0]["start"], windows[-1]["end"]) == (0, len(text))
    assert all(one["end"] == other["start"] for one, other in pairwise(windows))
    assert (windows[0]["source"], windows[-1]["source"]) == ("sea", "kitchen")
    found = Counter(window["source"] for window in windows)
    assert min(found["sea"], found["kitchen"]) > len(windows) / 3
    total = sum(entry["probability"] for entry in result["distribution"])
    assert total + result["other"] + result["unknown"] == pytest.approx(1, abs=1e-6)
    for passage in result["evidence"]:
        for span in passage["shared"]:
            shared = passage["text"][span["document_start"] : span["document_end"]]
            assert text[span["start"] : span["end"]] == shared


def test_a_quotation_over_the_border_of_windows_is_found_whole(client: TestClient, model: str) -> None:
    filler, quote = "nothing of the kind is known here or there", TEXTS[TRAINED[7]]
    for num_words in range(20, 28):
        before = " ".join(filler.split()[number % 9] for number in range(num_words))
        text = f"{before} {quote} {filler} {filler}"
        (result,) = classify(client, input=text, evidence=1)
        assert len(result["windows"]) > 2
        assert result["evidence"][0]["document"] == document_of(TRAINED[7])
        assert max(span["words"] for span in result["evidence"][0]["shared"]) == len(quote.split())


def test_more_text_than_is_read_for_one_request_is_refused(client: TestClient, model: str) -> None:
    body = {"input": ["word " * 60_000] * 9}
    problem = assert_problem(client.post("/classify", json=body), 422, ["body", "input"])
    assert "2500000 characters" in problem["errors"][0]["msg"]


def test_a_set_grows_with_its_coverage(client: TestClient, model: str) -> None:
    sizes = [
        len(classify(client, input=TEXTS[4], coverage=coverage)[0]["conformal_set"])
        for coverage in (0, 0.5, 0.9, 1)
    ]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (1, len(SUBJECTS))
    (result,) = classify(client, input=TEXTS[4], coverage=0.5)
    assert result["conformal_set"][0]["source"] == result["distribution"][0]["source"]
    assert_problem(client.post("/classify", json={"input": "x", "coverage": 1.5}), 422, ["body", "coverage"])


def test_a_set_does_not_depend_on_the_prior_of_unknown(client: TestClient, model: str) -> None:
    sets = [
        classify(client, input=TEXTS[4], coverage=0.9, unknown_prior=prior)[0]["conformal_set"]
        for prior in (0, 0.5, 1)
    ]
    assert sets[0] == sets[1]
    assert {entry["source"] for entry in sets[0]} == {entry["source"] for entry in sets[2]}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (TEXTS[0], []),
        ("x", ["short_text"]),
        ("Корабль стоял в гавани и ждал попутного ветра", ["other_script"]),
        ("Det gamle skib stod i havnen og ventede på vind", ["other_language"]),
    ],
)
def test_what_makes_a_text_unlike_the_training_is_said(
    client: TestClient, model: str, text: str, codes: list[str]
) -> None:
    (result,) = classify(client, input=text)
    assert [warning["code"] for warning in result["warnings"]] == codes
    assert all(warning["message"] for warning in result["warnings"])
