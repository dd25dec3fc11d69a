"""Kind `train` with the backbone fine-tuned."""

import math

import pytest

from db.settings import Settings
from sip_model.inference.identify import LoadedModel
from tests.worker.kinds.configs import JSONConfig, train_config
from tests.worker.kinds.conftest import AddDataset, Gate, Look, Queue, Results, Run
from tests.worker.kinds.corpora import make_documents
from worker.jobs.reading import catalog_of
from worker.supervisor import Supervisor

SOURCES = ("ash", "birch", "cedar", "elm")
FILES = ["backbone.safetensors", "evidence.safetensors", "identifier.safetensors", "model.json"]


def tuning_config(features: str = "hybrid", **training: object) -> JSONConfig:
    """A quick training of the tiny backbone's last block."""
    return train_config(
        features,
        mode="head_then_last_layers",
        last_layers=1,
        backbone_epochs=6,
        backbone_learning_rate=5e-5,
        patience=6,
        dropout=0.0,
        **{"epochs": 4, "learning_rate": 0.005, **training},
    )


@pytest.fixture
def dataset_id(add_dataset: AddDataset) -> str:
    """Four sources."""
    return add_dataset("trees", make_documents(SOURCES))


def test_the_model_that_comes_out_answers_as_the_job_did(
    run: Run, dataset_id: str, settings: Settings
) -> None:
    results = run("train", dataset_id, tuning_config())
    assert (results.experiment.status, results.experiment.error_message) == ("succeeded", None)
    model = results.model()
    assert sorted(model.files) == FILES
    files = {name: str(sha256) for name, sha256 in model.files.items()}
    folder = results.store.local_folder(model.storage_key, files)
    loaded = LoadedModel.load(folder, catalog_of(settings), "cpu")
    assert loaded.artifact.tuned

    texts = {document.document: document.text for document in make_documents(SOURCES)}
    rows = results.table("predictions.parquet")
    found = loaded.classify([texts[row["document"]][row["start"] : row["end"]] for row in rows])
    for row, probabilities, unknown in zip(rows, found.probabilities, found.unknown, strict=True):
        expected = {entry["source"]: entry["probability"] for entry in row["predicted"]}
        named = dict(zip(loaded.sources, probabilities, strict=True))
        assert [named[source] for source in expected] == pytest.approx(list(expected.values()), abs=1e-5)
        assert unknown == pytest.approx(row["unknown"], abs=1e-5)
    assert results.metrics()["system/tokens_per_second", "train"] is not None


def test_tuned_features_never_reach_the_cache(run: Run, dataset_id: str) -> None:
    frozen = run("train", dataset_id, train_config("backbone"))
    run("train", dataset_id, tuning_config("backbone"))
    again = run("train", dataset_id, train_config("backbone"))
    assert again.metrics()["system/features_computed", None] == 0
    names = ("identifier.safetensors",)
    assert [again.model().files[name] for name in names] == [frozen.model().files[name] for name in names]


def test_a_killed_tuning_ends_with_the_same_numbers(
    run_in_process: Run,
    queue: Queue,
    look: Look,
    supervisor: Supervisor,
    gate: Gate,
    dataset_id: str,
) -> None:
    """Killed with five epochs of tuning behind it."""
    config = tuning_config("backbone", checkpoint_seconds=1e-6)
    experiment_id = queue("train", dataset_id, config)
    gate.kill_at(experiment_id)
    assert look(experiment_id).experiment.checkpoint_key is not None

    supervisor.run(experiment_id)
    resumed, expected = look(experiment_id), run_in_process("train", dataset_id, config)
    assert (resumed.experiment.status, resumed.experiment.attempt) == ("succeeded", 2)
    assert resumed.experiment.resumed_from_step == 4 + 4 + 4  # of pilot, head and backbone
    for name in FILES[:2]:
        assert resumed.model().files[name] == expected.model().files[name]
    assert resumed.steps("validation/loss") == expected.steps("validation/loss")
    assert resumed.steps("train/loss") == expected.steps("train/loss")
    assert _scores(resumed) == _scores(expected)
    losses = [value for _, value in resumed.steps("train/loss")]
    assert all(value is not None and math.isfinite(value) for value in losses)


def test_blocks_that_are_not_there_cannot_be_trained(run: Run, dataset_id: str) -> None:
    config = tuning_config()
    config["backbone"]["layers"] = [0]
    row = run("train", dataset_id, config).experiment
    assert (row.status, row.error_type) == ("failed", "BackboneError")
    assert "backbone.layers: expected a layer from 1" in (row.error_message or "")


def _scores(results: Results) -> dict[tuple[str, str | None], float | None]:
    return {key: value for key, value in results.metrics().items() if "system/" not in key[0]}
