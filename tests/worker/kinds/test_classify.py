"""Kind `classify`."""

import pytest

from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import AddDataset, Run
from tests.worker.kinds.corpora import CHUNKS, make_documents

SOURCES = ("ash", "birch", "cedar")


def test_every_chunk_gets_its_distribution_in_the_order_of_the_corpus(
    run: Run, add_dataset: AddDataset
) -> None:
    trained = run("train", add_dataset("trees", make_documents(SOURCES)), train_config())
    documents = make_documents(("cedar", "pine"), seed=2)
    results = run(
        "classify", add_dataset("others", documents), {"top_k": 2}, model_id=trained.experiment.model_id
    )
    assert results.experiment.status == "succeeded", results.experiment.error_message
    rows = results.table("results.parquet")
    assert [row["document"] for row in rows] == ["cedar-2"] * CHUNKS + ["pine-2"] * CHUNKS
    starts = [row["start"] for row in rows[:CHUNKS]]
    assert starts == sorted(starts)
    for row in rows:
        first, second = row["predicted"]
        assert first["probability"] >= second["probability"]
        assert {first["source"], second["source"]} <= set(SOURCES)
    assert (results.experiment.done, results.experiment.total) == (2, 2)
    assert (results.metrics()["system/texts_per_second", None] or 0) > 0


def test_chunks_of_another_length_can_be_asked_for(run: Run, add_dataset: AddDataset) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    trained = run("train", dataset_id, train_config("lexical"))
    config = {"chunk": {"num_words": 16}}
    results = run("classify", dataset_id, config, model_id=trained.experiment.model_id)
    assert len(results.table("results.parquet")) == len(SOURCES) * CHUNKS // 2


def test_a_damaged_model_is_refused(run: Run, add_dataset: AddDataset) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    trained = run("train", dataset_id, train_config("lexical"))
    key = f"{trained.model().storage_key}/identifier.safetensors"
    path = trained.store.local_path(key)
    path.write_bytes(path.read_bytes()[:-1])
    row = run("classify", dataset_id, {}, model_id=trained.experiment.model_id).experiment
    assert row.status == "failed"
    assert "damaged" in (row.error_message or "")


@pytest.mark.parametrize("kind", ["classify", "evaluate"])
def test_a_model_that_is_gone_is_named(run: Run, add_dataset: AddDataset, kind: str) -> None:
    row = run(kind, add_dataset("trees", make_documents(SOURCES)), {}).experiment
    assert (row.status, row.error_type) == ("failed", "ArtifactError")
    assert "deleted" in (row.error_message or "")
