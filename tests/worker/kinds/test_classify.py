"""Kind `classify`."""

import pytest

from sip_model.corpora.document import Document
from tests.worker.gated_child import GATE_EPOCH
from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import AddDataset, Gate, Look, Queue, Results, Run
from tests.worker.kinds.corpora import CHUNKS, make_document, make_documents
from worker.jobs.trained import BATCH_CHUNKS
from worker.supervisor import Supervisor

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


def test_an_attempt_goes_on_behind_the_rows_that_were_kept(
    run: Run,
    queue: Queue,
    look: Look,
    supervisor: Supervisor,
    gate: Gate,
    add_dataset: AddDataset,
) -> None:
    trained = run("train", add_dataset("trees", make_documents(SOURCES)), train_config("lexical"))
    model_id = trained.experiment.model_id
    dataset_id = add_dataset("wood", long_documents(BATCH_CHUNKS // 2, 9))
    experiment_id = queue("classify", dataset_id, {}, model_id=model_id)

    gate.stop_at(experiment_id)
    assert look(experiment_id).experiment.checkpoint_key is not None
    gate.kill_at(experiment_id)
    assert look(experiment_id).experiment.checkpoint_key is not None

    supervisor.run(experiment_id)
    resumed, expected = look(experiment_id), run("classify", dataset_id, {}, model_id=model_id)
    assert (resumed.experiment.status, resumed.experiment.attempt) == ("succeeded", 3)
    assert resumed.experiment.resumed_from_step == (GATE_EPOCH + 1) // 2 * BATCH_CHUNKS
    rows = resumed.table("results.parquet")
    assert len(rows) == 9 * BATCH_CHUNKS // 2
    assert rows == expected.table("results.parquet")


def test_rows_of_other_columns_are_left_aside(
    run: Run,
    queue: Queue,
    look: Look,
    supervisor: Supervisor,
    gate: Gate,
    add_dataset: AddDataset,
) -> None:
    trained = run("train", add_dataset("trees", make_documents(SOURCES)), train_config("lexical"))
    dataset_id = add_dataset("wood", long_documents(BATCH_CHUNKS, 6))
    experiment_id = queue("classify", dataset_id, {}, model_id=trained.experiment.model_id)
    gate.stop_at(experiment_id)
    replace_checkpoint(look(experiment_id), trained)

    supervisor.run(experiment_id)
    found = look(experiment_id)
    assert (found.experiment.status, found.experiment.resumed_from_step) == ("succeeded", None)
    assert len(found.table("results.parquet")) == 6 * BATCH_CHUNKS


def long_documents(num_chunks: int, number: int) -> list[Document]:
    """Documents of two sources by turns."""
    return [make_document(SOURCES[seed % 2], num_chunks, seed) for seed in range(number)]


def replace_checkpoint(found: Results, trained: Results) -> None:
    """Put another table, whole and with its own hash, in place of what an experiment has kept."""
    key = found.experiment.checkpoint_key
    assert key is not None
    stored = found.store.put_file(key, trained.file("predictions.parquet"))
    with found.database.session() as session:
        row = session.merge(found.experiment)
        row.checkpoint_sha256 = stored.sha256
