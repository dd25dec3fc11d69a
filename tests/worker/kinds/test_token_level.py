"""Kind `train` with `identifier.ngram`."""

import pytest

from tests.worker.gated_child import GATE_EPOCH
from tests.worker.kinds.configs import JSONConfig, train_config
from tests.worker.kinds.conftest import AddDataset, Gate, Look, Queue, Run
from tests.worker.kinds.corpora import make_documents
from tests.worker.kinds.test_resuming import assert_same_result
from worker.supervisor import Supervisor

SOURCES = ("ash", "birch", "cedar", "elm")


def token_config(ngram: int, by: str = "block", **training: object) -> JSONConfig:
    """A quick training on tokens of the tiny backbone."""
    config = train_config()
    return {
        "backbone": config["backbone"] | {"layers": "auto"},
        "chunk": config["chunk"],
        "split": {"by": by},
        "identifier": {"ngram": ngram, "head": [32]},
        "training": {"epochs": 2, **training},
    }


@pytest.mark.parametrize("ngram", [1, 2, 3])
def test_a_model_with_scores_by_token_and_by_chunk_comes_out(
    run: Run, add_dataset: AddDataset, ngram: int
) -> None:
    results = run("train", add_dataset("trees", make_documents(SOURCES)), token_config(ngram))
    row, found = results.experiment, results.metrics()
    assert (row.status, row.error_message) == ("succeeded", None)
    identifier, reading = row.config["identifier"], results.model().card["backbone"]
    assert isinstance(identifier, dict)
    assert isinstance(reading, dict)
    assert (identifier["features"], identifier["ngram"]) == ("backbone", ngram)
    assert reading["layers"] == [2]  # of 3
    for name in ("token_accuracy", "token_macro_f1", "passage_accuracy", "macro_f1", "ece"):
        assert 0 <= (found[f"eval/{name}", "test"] or 0) <= 1
    assert found["eval/passage_accuracy", "test"] == found["eval/accuracy", "test"]
    assert (found["eval/token_accuracy", "test"] or 0) > 0.25  # chance
    assert (found["eval/token_accuracy_position_split", "test"] or 0) > 0.25
    assert found["baseline/chance_accuracy", "test"] == 0.25
    assert (found["baseline/lexical_accuracy", "test"] or 0) > 0.5
    tokens = {part: found["data/token_samples", part] or 0 for part in ("train", "test")}
    chunks = {part: found["data/samples", part] or 0 for part in ("train", "test")}
    assert tokens["train"] > 20 * chunks["train"]
    assert [step for step, _ in results.steps("train/loss")] == [1, 2]
    assert [step for step, _ in results.steps("validation/loss_position_split")] == [1, 2]
    predictions = results.table("predictions.parquet")
    test = [entry for entry in predictions if entry["split"] == "test"]
    assert len(test) == chunks["test"]
    right = sum(entry["predicted"][0]["source"] in entry["sources"] for entry in test)
    assert right / len(test) == pytest.approx(found["eval/passage_accuracy", "test"])
    assert [entry["source"] for entry in results.document("sources.json")["sources"]] == list(SOURCES)


def test_the_position_split_deals_the_tokens_of_the_same_chunks(run: Run, add_dataset: AddDataset) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    block, position = (run("train", dataset_id, token_config(1, by)) for by in ("block", "position"))
    assert position.experiment.status == "succeeded", position.experiment.error_message
    ours, theirs = block.metrics(), position.metrics()
    assert theirs["system/features_computed", None] == 0  # both read the same texts, once
    for name in ("token_accuracy", "passage_accuracy"):
        assert ours[f"eval/{name}_position_split", "test"] == theirs[f"eval/{name}", "test"]
    assert ("eval/token_accuracy_position_split", "test") not in theirs
    parts = ("train", "validation", "calibration", "test")
    totals = [sum(found["data/token_samples", part] or 0 for part in parts) for found in (ours, theirs)]
    assert totals[0] == totals[1]

    row = run("evaluate", dataset_id, {}, model_id=position.experiment.model_id).experiment
    assert (row.status, row.error_type) == ("failed", "InvalidInputError")
    assert "learned tokens of" in (row.error_message or "")


def test_a_token_level_model_evaluates_and_classifies_as_it_was_trained(
    run: Run, add_dataset: AddDataset
) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    trained = run("train", dataset_id, token_config(3))
    found = run("evaluate", dataset_id, {}, model_id=trained.experiment.model_id)
    assert found.experiment.status == "succeeded", found.experiment.error_message
    before, after = trained.metrics(), found.metrics()
    for name in ("accuracy", "top5_accuracy", "macro_f1", "ece", "nll", "brier"):
        assert after[f"eval/{name}", "test"] == pytest.approx(before[f"eval/{name}", "test"], abs=1e-5)
    classified = run("classify", dataset_id, {}, model_id=trained.experiment.model_id)
    assert classified.experiment.status == "succeeded", classified.experiment.error_message
    assert len(classified.table("results.parquet")) > len(found.table("predictions.parquet"))


def test_a_training_on_tokens_asked_to_end_goes_on_from_its_checkpoint(
    run_in_process: Run,
    queue: Queue,
    look: Look,
    supervisor: Supervisor,
    gate: Gate,
    add_dataset: AddDataset,
) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    config = token_config(2, epochs=6, patience=6, checkpoint_seconds=3600)
    experiment_id = queue("train", dataset_id, config)
    gate.stop_at(experiment_id)
    assert look(experiment_id).experiment.checkpoint_key is not None

    supervisor.run(experiment_id)
    resumed, expected = look(experiment_id), run_in_process("train", dataset_id, config)
    assert (resumed.experiment.status, resumed.experiment.attempt) == ("succeeded", 2)
    assert resumed.experiment.resumed_from_step == GATE_EPOCH
    assert_same_result(resumed, expected)
    assert resumed.steps("train/loss_position_split") == expected.steps("train/loss_position_split")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"identifier": {"ngram": 2, "features": "lexical"}},
            "ngram: expected null where features is lexical",
        ),
        ({"identifier": {"ngram": 2}, "backbone": {"layers": [1, 2]}}, "backbone.layers"),
        ({"identifier": {"ngram": 2}, "backbone": {"layers": "all"}}, "backbone.layers"),
        ({"identifier": {"ngram": 4}}, "ngram"),
    ],
)
def test_what_cannot_be_read_token_by_token_is_refused(
    queue: Queue, add_dataset: AddDataset, block: JSONConfig, message: str
) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    with pytest.raises(ValueError, match=message):
        queue("train", dataset_id, block)


def test_epochs_left_open_are_the_protocols(queue: Queue, add_dataset: AddDataset, look: Look) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    for identifier, epochs in (({"ngram": 2}, 10), ({}, 30)):
        row = look(queue("train", dataset_id, {"identifier": identifier})).experiment
        training = row.config["training"]
        assert isinstance(training, dict)
        assert training["epochs"] == epochs
