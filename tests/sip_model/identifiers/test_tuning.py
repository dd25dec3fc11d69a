"""Fine-tuning the backbone of an identifier."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.dtypes import DtypeName
from sip_model.backbones.extract import extract_features
from sip_model.backbones.load import Backbone
from sip_model.experiments.config import IdentifierConfig, Pooling, TrainingConfig
from sip_model.identifiers.artifact import Artifact, BackboneReading, save_artifact
from sip_model.identifiers.backbone_learner import schedule
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.fitting import Epoch
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.train import train_identifier
from sip_model.identifiers.training_data import TrainingData
from sip_model.identifiers.tuning import TUNING_BRANCH, BackboneTuning
from sip_model.inference.identify import LoadedModel
from tests.sip_model.backbones.tiny import ENCODERS, FAMILIES, make_tiny_backbone
from tests.sip_model.identifiers.clusters import make_training_data
from tests.sip_model.identifiers.learning import InterruptedRunError

DATA = make_training_data()
LAST = TrainingConfig(
    mode="head_then_last_layers",
    epochs=3,
    backbone_epochs=3,
    batch_size=16,
    learning_rate=0.01,
    backbone_learning_rate=3e-5,
    last_layers=1,
    dropout=0.0,
    token_dropout=0.0,
    feature_dropout=0.0,
    checkpoint_seconds=1e-9,
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> BackboneCatalog:
    """A tiny backbone of every family."""
    folder = tmp_path_factory.mktemp("backbones")
    local = {family: make_tiny_backbone(folder / family, family) for family in FAMILIES}
    return BackboneCatalog(local)


class Tuned:
    """An identifier whose backbone was tuned, and the way there."""

    def __init__(
        self,
        catalog: BackboneCatalog,
        family: str,
        path: Path,
        training: TrainingConfig,
        *,
        layers: tuple[int, ...] = (1, 3),
        pooling: Pooling = "mean",
        dtype: DtypeName = "float32",
        features: str = "backbone",
        seed: int = 0,
        stop_after_saves: int | None = None,
    ) -> None:
        def load(dtype: DtypeName) -> Backbone:
            return catalog.load(family, device="cpu", dtype=dtype)

        self.original = load(dtype)
        info = self.original.info
        self.reading = BackboneReading(info.id, info.revision, layers, pooling, 64, dtype)
        self.epochs: list[tuple[str, Epoch]] = []
        self.tuning = BackboneTuning(load, self.reading)
        self.data = self._read()
        saves = 0

        def on_saved(_path: Path) -> None:
            nonlocal saves
            saves += 1
            if saves == stop_after_saves:
                raise InterruptedRunError

        self.identifier: Identifier = train_identifier(
            self.data,
            IdentifierConfig(features="hybrid" if features == "hybrid" else "backbone"),
            training,
            seed=seed,
            device="cpu",
            checkpoint=Checkpoint(path, "run", training.checkpoint_seconds, on_saved),
            on_epoch=lambda branch, epoch: self.epochs.append((branch, epoch)),
            tuning=self.tuning,
        )

    def _read(self) -> TrainingData:
        reading = self.reading
        found = extract_features(self.original, DATA.texts, reading.layers, reading.pooling, 64).features
        return replace(DATA, features=found.reshape(len(found), -1))

    def weights(self) -> dict[str, torch.Tensor]:
        """Of head and backbone."""
        backbone = self.identifier.members.backbone
        assert backbone is not None
        return self.tuning.weights | backbone.head.state_dict()


def assert_same(first: Tuned, second: Tuned) -> None:
    ours, theirs = first.weights(), second.weights()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert first.identifier.judgement == second.identifier.judgement


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_with_its_last_block(
    catalog: BackboneCatalog, family: str, tmp_path: Path
) -> None:
    pooling: Pooling = "cls" if family in ENCODERS else "last"
    tuned = Tuned(catalog, family, tmp_path / "c", LAST, pooling=pooling)
    losses = [epoch.train_loss for branch, epoch in tuned.epochs if branch == TUNING_BRANCH]
    assert losses == sorted(losses, reverse=True)
    shared = family == "albert"
    assert tuned.tuning.weights
    assert shared or not any(".0." in name or ".1." in name for name in tuned.tuning.weights)
    assert not any("embed" in name for name in tuned.tuning.weights)


@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_all_weights_that_matter_change_in_full(
    catalog: BackboneCatalog, family: str, tmp_path: Path
) -> None:
    training = replace(LAST, mode="full", last_layers=None)
    tuned = Tuned(catalog, family, tmp_path / "c", training, layers=(2,))
    changed = set(tuned.tuning.weights)
    blocks = {int(part) for name in changed for part in name.split(".") if part.isdigit()}
    assert blocks == {0, 1}
    assert any("wte" in name or "word_embeddings" in name for name in changed)


@pytest.mark.parametrize(("family", "mode"), [("bert", "head_then_last_layers"), ("gpt2", "full")])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    catalog: BackboneCatalog, family: str, mode: str, tmp_path: Path
) -> None:
    training = LAST if mode != "full" else replace(LAST, mode="full", last_layers=None)
    first, second = (Tuned(catalog, family, tmp_path / name, training, layers=(3,)) for name in "ab")
    assert_same(first, second)
    other = Tuned(catalog, family, tmp_path / "c", training, layers=(3,), seed=1)
    assert not torch.equal(first.weights()["0.weight"], other.weights()["0.weight"])


# Saves are due after every epoch of pilot (3) and head (3) and every batch of the tuning but an epoch's last
# (5 of 5).
@pytest.mark.parametrize("stop_after_saves", [1, 4, 6, 7, 9, 11, 14])
def test_an_interrupted_tuning_ends_with_the_same_weights(
    catalog: BackboneCatalog, tmp_path: Path, stop_after_saves: int
) -> None:
    training = replace(LAST, dropout=0.001)
    with pytest.raises(InterruptedRunError):
        Tuned(catalog, "bert", tmp_path / "a", training, stop_after_saves=stop_after_saves)
    resumed = Tuned(catalog, "bert", tmp_path / "a", training)
    expected = Tuned(catalog, "bert", tmp_path / "b", training)
    assert expected.tuning.weights
    assert_same(resumed, expected)
    assert [epoch for _, epoch in expected.epochs][-len(resumed.epochs) :] == [e for _, e in resumed.epochs]


def test_a_checkpoint_holds_no_weights_that_are_not_trained(catalog: BackboneCatalog, tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError):
        Tuned(catalog, "bert", tmp_path / "a", LAST, stop_after_saves=8)
    latest = Checkpoint(tmp_path / "a", "run", 1e9, lambda _: None).state(TUNING_BRANCH).latest
    names = {name.removeprefix("backbone.") for name in latest if name.startswith("backbone.")}
    assert names
    assert all("layer.2." in name for name in names)
    assert int(latest["steps"]) == 2


def test_a_step_dealt_to_several_passes_is_the_same_step(catalog: BackboneCatalog, tmp_path: Path) -> None:
    one, four = (
        Tuned(catalog, "llama", tmp_path / f"{passes}", replace(LAST, accumulate=passes)) for passes in (1, 4)
    )
    for name, value in one.weights().items():
        torch.testing.assert_close(value, four.weights()[name], rtol=1e-3, atol=1e-4)


def test_tuning_never_ends_with_a_larger_validation_loss(catalog: BackboneCatalog, tmp_path: Path) -> None:
    wild = replace(LAST, backbone_learning_rate=10.0, max_gradient_norm=1e9)
    tuned = Tuned(catalog, "bert", tmp_path / "c", wild)
    assert len(tuned.epochs) == 3 + 3 + 3  # pilot, head, backbone
    assert not tuned.tuning.weights
    head = Tuned(catalog, "bert", tmp_path / "d", replace(wild, backbone_epochs=1))
    assert_same(tuned, head)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("features", ["backbone", "hybrid"])
def test_a_saved_model_answers_as_the_trained_one(
    catalog: BackboneCatalog, tmp_path: Path, dtype: DtypeName, features: str
) -> None:
    tuned = Tuned(catalog, "bert", tmp_path / "c", LAST, dtype=dtype, features=features)
    texts = DATA.texts[:20]
    expected = tuned.identifier.scored(texts, tuned.tuning.features(texts)).logits
    save_artifact(Artifact(tuned.identifier, tuned.reading, {}, tuned.tuning.weights), "bce", (), tmp_path)
    model = LoadedModel.load(tmp_path, catalog, "cpu")
    found = model.classify(texts)
    np.testing.assert_allclose(np.log(found.scores / (1 - found.scores)), expected, atol=1e-5)
    assert model.artifact.tuned.keys() == tuned.tuning.weights.keys()
    untuned = None if tuned.data.features is None else tuned.data.features[:20]
    original = tuned.identifier.scored(texts, untuned).logits
    assert np.abs(original - expected).max() > 1e-3


def test_the_step_size_rises_over_a_tenth_of_the_steps_and_falls_to_zero() -> None:
    shares = [schedule(step, 50) for step in range(51)]
    assert shares[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert shares[4:] == sorted(shares[4:], reverse=True)
    assert shares[50] == 0
    assert schedule(0, 1) == 1
