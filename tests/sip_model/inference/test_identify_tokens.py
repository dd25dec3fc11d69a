"""A token-level model loaded from its folder, on a backbone made for the test."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.state_store import StateStore
from sip_model.backbones.token_states import extract_token_states
from sip_model.errors import ArtifactError, InvalidInputError
from sip_model.identifiers.artifact import Artifact, BackboneReading, save_artifact
from sip_model.identifiers.token_rows import TokenRows
from sip_model.identifiers.token_train import TokenData
from sip_model.inference.identify import LoadedModel
from tests.sip_model.backbones.tiny import make_tiny_backbone
from tests.sip_model.identifiers.clusters import make_training_data
from tests.sip_model.identifiers.test_token_train import train

DATA = make_training_data()
LAYER, MAX_TOKENS, NGRAM = 2, 32, 2
TEXTS = [*DATA.texts[:12], "x", "a much longer text " * 30, DATA.texts[0]]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> BackboneCatalog:
    """A catalog of one tiny encoder."""
    return BackboneCatalog({"tiny": make_tiny_backbone(tmp_path_factory.mktemp("backbone"), "bert")})


@pytest.fixture(scope="module")
def folder(catalog: BackboneCatalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a bigram model."""
    folder = tmp_path_factory.mktemp("model")
    backbone = catalog.load("tiny", device="cpu", dtype="float32")
    states = extract_token_states(backbone, DATA.texts, LAYER, MAX_TOKENS)
    rows = TokenRows(StateStore.in_memory(states), NGRAM)
    parts = (rows.of(part) for part in (DATA.train, DATA.validation, DATA.calibration))
    identifier = train(TokenData(rows, DATA.positives, DATA.sources, *parts), folder)
    info = backbone.info
    reading = BackboneReading(info.id, info.revision, (LAYER,), "mean", MAX_TOKENS, "float32")
    save_artifact(Artifact(identifier, reading, {}), "bce", (), folder)
    return folder


@pytest.fixture(scope="module")
def model(catalog: BackboneCatalog, folder: Path) -> LoadedModel:
    """The model, loaded."""
    return LoadedModel.load(folder, catalog, "cpu")


def test_an_answer_does_not_depend_on_the_other_texts_and_sums_to_one(model: LoadedModel) -> None:
    together = model.classify(TEXTS)
    assert together.probabilities.shape == together.scores.shape == (len(TEXTS), len(DATA.sources))
    np.testing.assert_allclose(together.probabilities.sum(axis=1) + together.unknown, 1, atol=1e-9)
    for number, text in enumerate(TEXTS):
        alone = model.classify([text])
        np.testing.assert_array_equal(together.probabilities[number], alone.probabilities[0])
        np.testing.assert_array_equal(together.scores[number], alone.scores[0])
    assert together.windows[13]
    assert not together.truncated.any()
    assert not together.truncated[12]


def test_scores_are_sigmoids_of_the_mean_log_odds_not_a_softmax(model: LoadedModel) -> None:
    text = DATA.texts[0]
    assert model.backbone is not None
    states = extract_token_states(model.backbone, [text], LAYER, MAX_TOKENS)
    bits = torch.from_numpy(states.states).view(torch.bfloat16).float()  # (T, D)
    branch = model.artifact.identifier
    head = branch.branch  # type: ignore[union-attr]  # a token-level identifier
    logits = head(torch.cat([bits[:-1], bits[1:]], dim=1)).mean(dim=0)  # (C,)
    found = model.classify([text]).scores[0]
    np.testing.assert_allclose(found, torch.sigmoid(logits).numpy(), rtol=1e-5)
    assert abs(found.sum() - 1) > 1e-3


def test_no_texts_get_no_answers(model: LoadedModel) -> None:
    assert model.classify([]).probabilities.shape == (0, len(DATA.sources))


def test_a_model_that_names_no_backbone_is_refused(model: LoadedModel) -> None:
    without = LoadedModel(Artifact(model.artifact.identifier, None, {}), None, model.evidence)
    with pytest.raises(ArtifactError, match="backbone"):
        without.classify(["text"])


def test_a_token_level_model_explains_nothing(model: LoadedModel) -> None:
    with pytest.raises(
        InvalidInputError, match=r"explain: expected false for a token-level model; found true"
    ):
        model.classify(["a text"], explain=True)
