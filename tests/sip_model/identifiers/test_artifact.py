"""A trained identifier on disk."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sip_model.errors import ArtifactError
from sip_model.experiments.config import IdentifierConfig, LossName, TrainingConfig
from sip_model.identifiers.artifact import (
    DESCRIPTION_FILE,
    WEIGHTS_FILE,
    Artifact,
    BackboneReading,
    load_artifact,
    save_artifact,
)
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.train import train_identifier
from tests.sip_model.identifiers.clusters import make_training_data

DATA = make_training_data()
READING = BackboneReading("tiny", "0" * 64, (0, 2), "mean", 64, "float32")


def train(folder: Path, loss: LossName) -> Identifier:
    return train_identifier(
        DATA,
        IdentifierConfig(loss=loss, head=(8,)),
        TrainingConfig(epochs=2),
        seed=0,
        device="cpu",
        checkpoint=Checkpoint(folder / "checkpoint", "run", 1e9, lambda _: None),
        on_epoch=lambda _branch, _epoch: None,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a saved model; copy it before changing it."""
    folder = tmp_path_factory.mktemp("saved")
    save_artifact(Artifact(train(folder, "bce"), READING, {"naïve": [1.5, None, "ü"]}), "bce", (8,), folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    """A copy of the saved model to damage."""
    return Path(shutil.copytree(saved, tmp_path / "copy"))


@pytest.mark.parametrize("loss", ["bce", "ce", "binary_code"])
def test_a_loaded_identifier_gives_the_same_logits_bit_for_bit(tmp_path: Path, loss: LossName) -> None:
    identifier = train(tmp_path, loss)
    save_artifact(Artifact(identifier, READING, {}), loss, (8,), tmp_path)
    loaded = load_artifact(tmp_path)
    assert isinstance(loaded.identifier, Identifier)
    expected = identifier.scored(DATA.texts, DATA.features)
    found = loaded.identifier.scored(DATA.texts, DATA.features)
    np.testing.assert_array_equal(found.logits, expected.logits)
    np.testing.assert_array_equal(found.signs, expected.signs)
    np.testing.assert_array_equal(found.quoted, expected.quoted)
    assert loaded.identifier.sources == identifier.sources
    assert loaded.identifier.judgement == identifier.judgement


def test_how_features_are_read_and_the_card_come_back(saved: Path) -> None:
    loaded = load_artifact(saved)
    assert loaded.reading == READING
    assert loaded.card == {"naïve": [1.5, None, "ü"]}


def test_a_model_is_safetensors_and_json_and_no_pickle(saved: Path) -> None:
    names = sorted(path.name for path in saved.iterdir())
    assert names == [WEIGHTS_FILE, DESCRIPTION_FILE]
    header_size = int.from_bytes((saved / WEIGHTS_FILE).read_bytes()[:8], "little")
    assert json.loads((saved / WEIGHTS_FILE).read_bytes()[8 : 8 + header_size])
    assert json.loads((saved / DESCRIPTION_FILE).read_text())


@pytest.mark.parametrize("name", [WEIGHTS_FILE, DESCRIPTION_FILE])
@pytest.mark.parametrize("length", [0, 7, -1])
def test_a_file_cut_short_is_refused(copy: Path, name: str, length: int) -> None:
    (copy / name).write_bytes((copy / name).read_bytes()[:length])
    with pytest.raises(ArtifactError):
        load_artifact(copy)


@pytest.mark.parametrize("name", [WEIGHTS_FILE, DESCRIPTION_FILE])
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ArtifactError):
        load_artifact(copy)


def test_one_altered_byte_of_the_weights_is_refused(copy: Path) -> None:
    content = bytearray((copy / WEIGHTS_FILE).read_bytes())
    content[-5] ^= 1
    (copy / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(ArtifactError, match="sha256"):
        load_artifact(copy)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sources", ["a", "b"]),
        ("fusion", {"weights": [1.0, 1.0, 1.0], "bias": 0.0}),
        ("calibration", {"method": "temperature", "temperature": 1.0}),
        ("unknown", {"threshold": 1.0}),
        ("loss", "ce"),
        ("head_widths", [4]),
        ("card", {}),
        ("format", 1),
    ],
)
def test_an_altered_description_is_refused(copy: Path, field: str, value: object) -> None:
    description = json.loads((copy / DESCRIPTION_FILE).read_text())
    description[field] = value
    (copy / DESCRIPTION_FILE).write_text(json.dumps(description))
    with pytest.raises(ArtifactError):
        load_artifact(copy)


@pytest.mark.parametrize("content", ["[]", "null", '"model"', "{}", '{"format": 1}'])
def test_json_that_is_no_description_is_refused(copy: Path, content: str) -> None:
    (copy / DESCRIPTION_FILE).write_text(content)
    with pytest.raises(ArtifactError):
        load_artifact(copy)


def test_a_description_laid_out_anew_is_still_the_same(copy: Path) -> None:
    description = json.loads((copy / DESCRIPTION_FILE).read_text())
    (copy / DESCRIPTION_FILE).write_text(json.dumps(description, sort_keys=True))
    assert load_artifact(copy).reading == READING
