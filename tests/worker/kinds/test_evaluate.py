"""Kind `evaluate`."""

import pytest

from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import AddDataset, Run
from tests.worker.kinds.corpora import CHUNKS, make_documents

SOURCES = ("ash", "birch", "cedar")


@pytest.mark.parametrize("features", ["hybrid", "lexical"])
def test_on_its_own_dataset_a_model_gets_the_scores_of_its_training(
    run: Run, add_dataset: AddDataset, features: str
) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    trained = run("train", dataset_id, train_config(features))
    found = run("evaluate", dataset_id, {}, model_id=trained.experiment.model_id)
    assert found.experiment.status == "succeeded", found.experiment.error_message
    before, after = trained.metrics(), found.metrics()
    scores = [key for key in before if key[0].startswith("eval/")]
    assert len(scores) == 16
    for key in scores:
        assert after[key] == pytest.approx(before[key], abs=1e-5)
    assert after["data/samples", "test"] == before["data/samples", "test"]
    assert after["data/samples_unknown", "test"] == 0
    assert 0.7 <= (after["eval/set_coverage", "test"] or 0) <= 1
    assert 1 <= (after["eval/set_size", "test"] or 0) <= len(SOURCES)
    places = [
        {
            (row["document"], row["start"], row["end"])
            for row in results.table("predictions.parquet")
            if row["split"] == "test"
        }
        for results in (trained, found)
    ]
    assert places[0] == places[1]


def test_sources_the_model_does_not_know_are_listed_and_told_apart(run: Run, add_dataset: AddDataset) -> None:
    trained = run("train", add_dataset("trees", make_documents(SOURCES)), train_config())
    mixed = add_dataset("mixed", make_documents(("birch", "cedar", "oak"), seed=1))
    found = run("evaluate", mixed, {}, model_id=trained.experiment.model_id)
    assert found.experiment.status == "succeeded", found.experiment.error_message
    values = found.metrics()
    for name in ("auroc_unknown", "aupr_unknown", "fpr95_unknown", "false_acceptances", "c_at_1"):
        assert 0 <= (values[f"eval/{name}", "test"] or 0) <= 1
    assert (values["data/samples", "test"], values["data/samples_unknown", "test"]) == (3 * CHUNKS, CHUNKS)
    table = found.document("sources.json")
    assert [entry["source"] for entry in table["sources"]] == ["birch", "cedar"]
    assert table["left_out"] == [{"source": "oak", "num_chunks": CHUNKS}]
    assert len(found.table("predictions.parquet")) == 3 * CHUNKS


def test_a_dataset_of_strangers_alone_cannot_be_scored(run: Run, add_dataset: AddDataset) -> None:
    trained = run("train", add_dataset("trees", make_documents(SOURCES)), train_config("lexical"))
    strangers = add_dataset("strangers", make_documents(("oak", "pine")))
    row = run("evaluate", strangers, {}, model_id=trained.experiment.model_id).experiment
    assert (row.status, row.error_type) == ("failed", "InvalidInputError")
    assert "none of 2 sources" in (row.error_message or "")


@pytest.mark.parametrize("features", ["hybrid", "lexical"])
def test_a_model_of_chunks_of_tokens_is_evaluated_on_chunks_of_tokens(
    run: Run, add_dataset: AddDataset, features: str
) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    config = train_config(features) | {"chunk": {"num_tokens": 32}}
    trained = run("train", dataset_id, config)
    assert trained.experiment.status == "succeeded", trained.experiment.error_message
    found = run("evaluate", dataset_id, {}, model_id=trained.experiment.model_id)
    assert found.experiment.status == "succeeded", found.experiment.error_message
    key = ("eval/accuracy", "test")
    assert found.metrics()[key] == pytest.approx(trained.metrics()[key])


def test_other_chunks_than_its_own_are_refused_on_its_own_dataset(run: Run, add_dataset: AddDataset) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    trained = run("train", dataset_id, train_config("lexical"))
    config = {"chunk": {"num_words": 4}}
    row = run("evaluate", dataset_id, config, model_id=trained.experiment.model_id).experiment
    assert (row.status, row.error_type) == ("failed", "InvalidInputError")
    assert "Leave it out" in (row.error_message or "")
