"""Kind `features`: what it reads, nobody after it reads again."""

import pytest

from db import experiments
from db.session import Database
from sip_model.backbones.extraction import Extraction
from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import AddDataset, Look, Queue, Run
from tests.worker.kinds.corpora import CHUNK_WORDS, make_documents
from tests.worker.kinds.draining import Drain, drain
from worker.jobs import features
from worker.jobs.reading import BackboneReader

__all__ = ["drain"]

TREES = make_documents(("ash", "birch", "cedar"))
BACKBONE = {"id": "tiny", "dtype": "float32", "max_tokens": 64}
CONFIG = {"backbone": {**BACKBONE, "layers": "last"}, "chunk": {"num_words": CHUNK_WORDS}}


def test_every_training_after_it_finds_its_layers_whatever_its_seed(
    run: Run, add_dataset: AddDataset
) -> None:
    dataset_id = add_dataset("trees", TREES)
    left = run("features", dataset_id, {**CONFIG, "features": {"layers": [[1, 3], "auto"]}})
    assert left.experiment.status == "succeeded", left.experiment.error_message
    num_texts = left.metrics()["data/texts", None]
    assert left.metrics()["system/features_computed", None] == num_texts
    for seed in (0, 1):
        results = run("train", dataset_id, train_config("backbone"), seed=seed)
        assert results.metrics()["system/features_computed", None] == 0
    few = {**train_config("backbone"), "chunk": {"num_words": CHUNK_WORDS, "train_per_source": 3}}
    results = run("train", dataset_id, few)
    assert results.metrics()["system/features_computed", None] == 0
    assert results.metrics()["data/samples", "train"] == 9


def test_an_attempt_takes_up_after_the_slice_that_was_kept_and_reports_what_all_have_read(
    queue: Queue,
    drain: Drain,
    look: Look,
    database: Database,
    add_dataset: AddDataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "SLICE_TEXTS", 16)
    compute, read = BackboneReader._compute, list[list[str]]()

    def fail_at_the_third(reader: BackboneReader, texts: list[str]) -> Extraction:
        if len(read) == 2:
            raise MemoryError("no room")
        read.append(texts)
        return compute(reader, texts)

    experiment_id = queue("features", add_dataset("trees", TREES), CONFIG)
    with monkeypatch.context() as patched:
        patched.setattr(BackboneReader, "_compute", fail_at_the_third)
        drain()
    assert look(experiment_id).experiment.status == "failed"
    with database.session() as session:
        experiments.retry(session, experiment_id)
    drain()
    results = look(experiment_id)
    assert (results.experiment.status, results.experiment.resumed_from_step) == ("succeeded", 32)
    assert results.metrics()["system/features_computed", None] == results.metrics()["data/texts", None]
    assert results.metrics()["system/features_cached", None] == 0


def test_a_layer_beyond_the_backbone_fails_with_its_reason(run: Run, add_dataset: AddDataset) -> None:
    row = run("features", add_dataset("trees", TREES), {**CONFIG, "features": {"layers": [[9]]}}).experiment
    assert (row.status, row.error_type) == ("failed", "BackboneError")
