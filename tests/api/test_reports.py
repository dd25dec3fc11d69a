"""`GET /experiments/{id}/report` through the real application."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from db import experiments, metrics
from db.metrics import NewMetric
from db.session import Database
from db.states import Status
from db.storage import ArtifactStore
from db.tables import Artifact
from tests.api.conftest import assert_problem, upload

POST = "/experiments"
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@pytest.fixture
def made(client: TestClient) -> str:
    """An experiment of kind train, with a name that would be markup if it could."""
    upload(client)
    body = {"kind": "train", "dataset": "tales", "name": "<script>alert(1)"}
    return str(client.post(POST, json=body).json()["id"])


def leave_page(
    database: Database, store: ArtifactStore, folder: Path, experiment_id: str, kind: str, text: str
) -> None:
    path = folder / "report.html"
    path.write_text(text)
    stored = store.put_file(f"experiments/{experiment_id}/1/report.html", path)
    with database.session() as session:
        row = experiments.get(session, experiment_id)
        row.kind, row.status = kind, Status.SUCCEEDED
        session.add(
            Artifact(
                experiment_id=experiment_id,
                name="report.html",
                media_type="text/html; charset=utf-8",
                bytes=stored.num_bytes,
                sha256=stored.sha256,
                storage_key=stored.key,
            )
        )


def test_a_page_that_was_left_is_shown_and_may_run_and_fetch_nothing(
    client: TestClient, made: str, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    leave_page(database, store, tmp_path, made, "suite", "<!DOCTYPE html><title>Study</title>")
    response = client.get(f"/experiments/{made}/report")
    assert response.status_code == 200
    assert response.text == "<!DOCTYPE html><title>Study</title>"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-disposition"] == "inline"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith(POLICY)


def test_a_suite_that_has_not_ended_has_no_report_and_the_answer_says_why(
    client: TestClient, made: str, database: Database
) -> None:
    with database.session() as session:
        row = experiments.get(session, made)
        row.kind = "suite"
    problem = assert_problem(client.get(f"/experiments/{made}/report"), 404)
    assert "is queued" in problem["detail"]
    assert "once it has succeeded" in problem["detail"]
    assert_problem(client.get("/experiments/exp_none/report"), 404)


def test_any_other_experiment_has_tables_of_its_values_and_its_names_stay_text(
    client: TestClient, made: str, database: Database
) -> None:
    with database.session() as session:
        row = experiments.get(session, made)
        metrics.append(
            session,
            row,
            "tales",
            [
                NewMetric(name="eval/accuracy", value=0.4321, split="test"),
                NewMetric(name="eval/auroc_unknown", value=float("nan"), split="test"),
                *(
                    NewMetric(name="train/loss", value=2.0 / step, step=step, split="train")
                    for step in range(1, 251)
                ),
            ],
        )
    response = client.get(f"/experiments/{made}/report")
    assert response.status_code == 200
    assert response.headers["content-security-policy"].startswith(POLICY)
    text = response.text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert '<td class="number">0.4321</td>' in text
    assert "train/loss" in text
    assert '<th scope="row">250</th>' in text
    assert text.count('<th scope="row">') < 150
    assert "&quot;num_words&quot;: 32" in text


def test_tables_say_why_an_experiment_failed(client: TestClient, made: str, database: Database) -> None:
    with database.session() as session:
        row = experiments.get(session, made)
        row.status, row.error_type, row.error_message = Status.FAILED, "CorpusError", "a < b"
    assert "CorpusError: a &lt; b" in client.get(f"/experiments/{made}/report").text
