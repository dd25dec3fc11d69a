"""A model loaded from its folder, on a backbone made for the test."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.extract import extract_features
from sip_model.errors import ArtifactError, BackboneError
from sip_model.experiments.config import IdentifierConfig, TrainingConfig
from sip_model.identifiers.artifact import WEIGHTS_FILE, Artifact, BackboneReading, save_artifact
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.train import train_identifier
from sip_model.inference.identify import LoadedModel
from tests.sip_model.backbones.tiny import make_tiny_backbone
from tests.sip_model.identifiers.clusters import make_training_data

DATA = make_training_data()
LAYERS, MAX_TOKENS = (1, 3), 32
TEXTS = [*DATA.texts[:12], "x", "a much longer text " * 30, DATA.texts[0]]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> BackboneCatalog:
    """A catalog of one tiny encoder."""
    return BackboneCatalog({"tiny": make_tiny_backbone(tmp_path_factory.mktemp("backbone"), "bert")})


def train_and_save(catalog: BackboneCatalog, folder: Path, features: str) -> Path:
    """Train a hybrid or lexical identifier and save it."""
    backbone = catalog.load("tiny", device="cpu", dtype="float32")
    read = extract_features(backbone, DATA.texts, LAYERS, "mean", MAX_TOKENS).features
    hybrid = features == "hybrid"
    data = replace(DATA, features=read.reshape(len(read), -1) if hybrid else None)
    identifier = train_identifier(
        data,
        IdentifierConfig(features="hybrid" if hybrid else "lexical"),
        TrainingConfig(epochs=4),
        seed=0,
        device="cpu",
        checkpoint=Checkpoint(folder / "checkpoint", "run", 1e9, lambda _: None),
        on_epoch=lambda _branch, _epoch: None,
    )
    info = backbone.info
    reading = BackboneReading(info.id, info.revision, LAYERS, "mean", MAX_TOKENS, "float32")
    save_artifact(Artifact(identifier, reading if hybrid else None, {}), "bce", (), folder)
    return folder


@pytest.fixture(scope="module")
def folder(catalog: BackboneCatalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a hybrid model."""
    return train_and_save(catalog, tmp_path_factory.mktemp("model"), "hybrid")


@pytest.fixture(scope="module")
def model(catalog: BackboneCatalog, folder: Path) -> LoadedModel:
    """The hybrid model, loaded."""
    return LoadedModel.load(folder, catalog, "cpu")


def test_an_answer_does_not_depend_on_the_other_texts_and_comes_in_order(model: LoadedModel) -> None:
    together = model.classify(TEXTS)
    for number, text in enumerate(TEXTS):
        alone = model.classify([text])
        np.testing.assert_array_equal(together.probabilities[number], alone.probabilities[0])
        np.testing.assert_array_equal(together.unknown[number], alone.unknown[0])
    backwards = model.classify(TEXTS[::-1])
    np.testing.assert_allclose(backwards.probabilities[::-1], together.probabilities, atol=1e-5)


def test_a_distribution_has_every_source_and_sums_to_one(model: LoadedModel) -> None:
    found = model.classify(TEXTS)
    assert model.sources == DATA.sources
    assert found.probabilities.shape == found.scores.shape == (len(TEXTS), len(DATA.sources))
    np.testing.assert_allclose(found.probabilities.sum(axis=1) + found.unknown, 1, atol=1e-9)
    assert ((found.scores >= 0) & (found.scores <= 1)).all()


def test_a_text_longer_than_the_backbone_reads_is_read_in_windows(model: LoadedModel) -> None:
    found = model.classify(TEXTS)
    assert not found.truncated.any()
    for text, windows in zip(TEXTS, found.windows, strict=True):
        assert (len(windows) > 1) == (_num_tokens(model, text) > MAX_TOKENS)
        if windows:
            assert "".join(text[window.start : window.end] for window in windows) == text
            parts = [_num_tokens(model, text[window.start : window.end]) for window in windows]
            assert max(parts) <= MAX_TOKENS
    assert found.windows[13]
    assert not found.windows[12]


def test_the_log_odds_of_windows_are_averaged_by_their_tokens(model: LoadedModel) -> None:
    text = TEXTS[13]
    (windows,) = model.classify([text]).windows
    parts = [text[window.start : window.end] for window in windows]
    weights = np.array([_num_tokens(model, part) for part in parts])
    log_odds = logit(model.classify(parts).scores)  # (windows, C)
    expected = (log_odds * weights[:, None]).sum(axis=0) / weights.sum()
    np.testing.assert_allclose(logit(model.classify([text]).scores[0]), expected, atol=1e-6)
    for window, part in zip(windows, model.classify(parts).probabilities, strict=True):
        assert window.source == part.argmax()
        assert window.probability == pytest.approx(part.max(), abs=1e-9)


def _num_tokens(model: LoadedModel, text: str) -> int:
    assert model.backbone is not None
    return len(model.backbone.tokenizer.encode(text).ids)


def test_the_prior_of_unknown_is_the_callers(model: LoadedModel) -> None:
    never, usual, likely = (model.classify(TEXTS, unknown_prior=prior) for prior in (0.0, None, 0.5))
    assert not never.unknown.any()
    assert (likely.unknown > usual.unknown).all()
    np.testing.assert_array_equal(usual.unknown, model.classify(TEXTS, unknown_prior=0.05).unknown)


def test_no_texts_get_no_answers(model: LoadedModel) -> None:
    assert model.classify([]).probabilities.shape == (0, len(DATA.sources))


def test_a_lexical_model_needs_no_backbone(tmp_path: Path, catalog: BackboneCatalog) -> None:
    model = LoadedModel.load(train_and_save(catalog, tmp_path, "lexical"), BackboneCatalog({}), "cpu")
    found = model.classify(TEXTS)
    assert model.backbone is None
    assert found.num_tokens == 0
    assert not found.truncated.any()
    alone = model.classify(TEXTS[:1])
    np.testing.assert_array_equal(alone.probabilities[0], found.probabilities[0])


def test_a_backbone_of_other_content_is_refused(tmp_path: Path, folder: Path) -> None:
    other = BackboneCatalog({"tiny": make_tiny_backbone(tmp_path, "bert", seed=1)})
    with pytest.raises(BackboneError, match="revision"):
        LoadedModel.load(folder, other, "cpu")


def test_a_folder_without_a_model_is_refused(tmp_path: Path, catalog: BackboneCatalog) -> None:
    (tmp_path / WEIGHTS_FILE).touch()
    with pytest.raises(ArtifactError):
        LoadedModel.load(tmp_path, catalog, "cpu")
