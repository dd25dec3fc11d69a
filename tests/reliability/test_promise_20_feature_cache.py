"""Promise 20: a disk that fills up while features are cached leaves a cache that can still be believed."""

import shutil
from collections.abc import Iterator

import pytest

from db.settings import Settings
from tests.reliability.small_disk import SmallDisk, small_disk
from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import (
    AddDataset,
    Results,
    Run,
    add_dataset,
    look,
    queue,
    run,
    settings,
    tiny_backbone,
)
from tests.worker.kinds.corpora import CHUNKS, make_documents

__all__ = ["add_dataset", "look", "queue", "run", "settings", "tiny_backbone"]

SOURCES = ("ash", "birch", "cedar")
LAYER_BYTES = len(SOURCES) * CHUNKS * 32 * 4
"""Of the vectors of one layer; two are read."""


@pytest.fixture
def features_disk(settings: Settings) -> Iterator[SmallDisk]:
    """The feature cache on a small disk."""
    with small_disk(settings.features_dir) as disk:
        yield disk


def test_a_training_without_space_for_its_features_fails_and_the_same_one_succeeds_once_there_is_some(
    features_disk: SmallDisk, settings: Settings, run: Run, add_dataset: AddDataset
) -> None:
    dataset_id = add_dataset("trees", make_documents(SOURCES))
    features_disk.fill(but=3 * LAYER_BYTES // 2)
    failed = run("train", dataset_id, train_config()).experiment
    assert (failed.status, failed.error_type, failed.attempt) == ("failed", "OSError", 1)
    assert "the disk is full" in (failed.error_message or "")
    features_disk.make_space()
    kept = [path for path in settings.features_dir.rglob("*") if path.is_file()]
    assert {path.name.partition(".")[2] for path in kept} <= {"keys.npy", "vectors.npy", "kept.npy", "lock"}
    again = run("train", dataset_id, train_config())
    assert again.experiment.status == "succeeded", again.experiment.error_message

    for path in settings.features_dir.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    undisturbed = run("train", dataset_id, train_config())
    assert scores(again) == scores(undisturbed)


def scores(results: Results) -> dict[tuple[str, str | None], float | None]:
    """What was measured of the model."""
    found = {key: value for key, value in results.metrics().items() if key[0].startswith("eval/")}
    assert len(found) > 3
    return found
