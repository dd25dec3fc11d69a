"""Kind `suite`: plan, children, report; by one worker alone, which never waits for itself."""

import csv
import json
from typing import cast

from db import claims, experiments, metrics
from db.metric_search import MetricRow
from db.metrics import MetricFilter
from db.session import Database
from db.tables import Experiment
from tests.worker.kinds.conftest import AddDataset, Look
from tests.worker.kinds.corpora import CHUNK_WORDS, make_document, make_documents
from tests.worker.kinds.draining import Drain, QueueSuite, drain, final_values, queue_suite

__all__ = ["drain", "queue_suite"]

TREES = ("ash", "birch", "cedar")
BLOCKS: dict[str, dict[str, object]] = {
    "backbone": {"dtype": "float32", "max_tokens": 64, "layers": [1, 3]},
    "chunk": {"num_words": CHUNK_WORDS},
    "training": {"epochs": 3, "learning_rate": 0.02},
}


def children_of(database: Database, suite_id: str) -> list[Experiment]:
    with database.session() as session:
        return experiments.children(session, suite_id)


def rows_of(database: Database, suite_id: str) -> list[MetricRow]:
    with database.session() as session:
        wanted = MetricFilter(parents=(suite_id,))
        return list(metrics.poll(session, wanted, limit=5000).rows)


def test_one_worker_alone_carries_a_suite_through_and_reads_each_text_once(
    add_dataset: AddDataset, queue_suite: QueueSuite, drain: Drain, look: Look, database: Database
) -> None:
    dataset_id = add_dataset("trees", make_documents(TREES))
    suite_id = queue_suite(backbones=["tiny"], datasets=[dataset_id], seeds=[0, 4], config=BLOCKS)
    ran = drain()
    suite, children = look(suite_id), children_of(database, suite_id)
    assert (suite.experiment.status, suite.experiment.error_message) == ("succeeded", None)
    assert suite.experiment.attempt == 2
    assert [child.kind for child in children] == ["features", "train", "train"]
    assert ran == [suite_id, *(child.id for child in children), suite_id]
    assert {(child.status, child.attempt) for child in children} == {("succeeded", 1)}

    rows = rows_of(database, suite_id)
    num_texts = final_values(rows, "data/texts")[children[0].id]
    assert list(final_values(rows, "system/features_computed").values()) == [num_texts, 0, 0]

    found = suite.metrics()
    assert (found["suite/succeeded", None], found["suite/failed", None]) == (3, 0)
    summary = suite.document("summary.json")
    assert [child["name"] for child in summary["children"]] == [child.name for child in children]
    assert summary["unsuccessful"] == []
    accuracies = [row for row in summary["means"] if row["name"] == "eval/accuracy"]
    expected = [row.value or 0 for row in rows if row.name == "eval/accuracy"]
    assert [(row["n"], row["mean"]) for row in accuracies] == [(2, sum(expected) / 2)]
    with suite.file("values.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(rows)
    assert {row["dataset"] for row in table} == {"trees"}


def test_what_failed_is_listed_and_the_rest_reported(
    add_dataset: AddDataset, queue_suite: QueueSuite, drain: Drain, look: Look
) -> None:
    good = add_dataset("trees", make_documents(TREES))
    bad = add_dataset("short", [make_document(source, 2, 0) for source in TREES])
    suite_id = queue_suite(backbones=["tiny"], datasets=[good, bad], config=BLOCKS)
    drain()
    suite = look(suite_id)
    assert suite.experiment.status == "succeeded"
    listed = suite.document("summary.json")["unsuccessful"]
    reasons = [cast("dict[str, str]", child["error"])["type"] for child in listed]
    assert reasons == ["InvalidInputError", "NeedFailed"]


def test_a_suite_of_which_nothing_succeeded_fails_with_the_reason(
    add_dataset: AddDataset, queue_suite: QueueSuite, drain: Drain, look: Look
) -> None:
    dataset_id = add_dataset("trees", make_documents(TREES))
    blocks = {**BLOCKS, "backbone": {"layers": [9]}}
    suite_id = queue_suite(backbones=["tiny"], datasets=[dataset_id], config=blocks)
    drain()
    row = look(suite_id).experiment
    assert (row.status, row.error_type) == ("failed", "NoChildSucceededError")
    assert "features tiny trees" in (row.error_message or "")


def test_honesty_shows_the_leak_of_each_split_and_what_is_left_without_names(
    add_dataset: AddDataset, queue_suite: QueueSuite, drain: Drain, look: Look, database: Database
) -> None:
    documents = [make_document(source, 12, seed) for source in TREES for seed in range(12)]
    dataset_id = add_dataset("trees", documents)
    blocks = {**BLOCKS, "chunk": {"num_words": CHUNK_WORDS, "max_per_source": 144}}
    suite_id = queue_suite(
        preset="honesty", backbones=["tiny"], datasets=[dataset_id], seeds=[0], config=blocks
    )
    drain()
    assert look(suite_id).experiment.status == "succeeded"
    rows = rows_of(database, suite_id)
    leaks = list(final_values(rows, "data/leak_rate").values())
    assert leaks[0] == leaks[1] == 0
    assert (leaks[2] or 0) > 0.6
    assert len(final_values(rows, "eval/entity_masked_accuracy")) == 3
    assert len(final_values(rows, "baseline/lexical_entity_masked_accuracy")) == 3
    summary = json.loads(look(suite_id).file("summary.json").read_text())
    splits = [child["varied"].get("split_by") for child in summary["children"]]
    assert splits == [None, "block", "document", "position"]


def test_a_plan_that_was_interrupted_is_made_again_once(
    add_dataset: AddDataset, queue_suite: QueueSuite, drain: Drain, database: Database
) -> None:
    dataset_id = add_dataset("trees", make_documents(TREES))
    suite_id = queue_suite(
        backbones=["tiny"], datasets=[dataset_id], config={"identifier": {"features": "lexical"}, **BLOCKS}
    )
    with database.session() as session:
        claim = claims.claim(session, suite_id, "dies", 60)
        assert claim is not None
        claims.crash(session, claim, claims.Failure("ProcessDied", "while it planned"), 3)
    ran = drain()
    assert len(children_of(database, suite_id)) == 1
    assert ran.count(suite_id) == 2
