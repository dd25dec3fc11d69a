"""Explanations of answers, with models trained on a backbone made for the test."""

import numpy as np
import pytest

from sip_model.analysis.saliency.curves import log_odds_slope, without
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.identifiers.identifier import Identifier
from sip_model.inference.identify import LoadedModel
from tests.sip_model.backbones.tiny import make_tiny_backbone
from tests.sip_model.inference.test_identify import DATA, TEXTS, train_and_save


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> BackboneCatalog:
    """A catalog of one tiny encoder."""
    return BackboneCatalog({"tiny": make_tiny_backbone(tmp_path_factory.mktemp("backbone"), "bert")})


@pytest.fixture(scope="module")
def hybrid(catalog: BackboneCatalog, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A hybrid model."""
    return LoadedModel.load(
        train_and_save(catalog, tmp_path_factory.mktemp("hybrid"), "hybrid"), catalog, "cpu"
    )


@pytest.fixture(scope="module")
def lexical(catalog: BackboneCatalog, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A model of n-grams alone."""
    folder = train_and_save(catalog, tmp_path_factory.mktemp("lexical"), "lexical")
    return LoadedModel.load(folder, catalog, "cpu")


def test_the_parts_of_the_ngrams_add_up_to_what_they_say(lexical: LoadedModel) -> None:
    """A model that is linear in its n-grams is explained without a rest."""
    identifier = lexical.artifact.identifier
    assert isinstance(identifier, Identifier)
    found = lexical.classify(DATA.texts[:6], explain=True)
    assert found.saliency is not None
    for number, (text, saliency) in enumerate(zip(DATA.texts[:6], found.saliency, strict=True)):
        logits = identifier.members.scores([text], None).logits[:, 0].double().numpy()  # (K, C)
        weights = np.array(identifier.fusion.weights)
        slope = log_odds_slope(weights @ logits, int(found.probabilities[number].argmax()))
        assert saliency.weights.sum() == pytest.approx(float(weights @ logits @ slope), abs=1e-3)
        assert not saliency.reads_backbone
        assert [text[start:end] for start, end in saliency.offsets.tolist()] == text.split()


def test_taking_out_the_heaviest_word_lowers_the_score_more_than_the_lightest(lexical: LoadedModel) -> None:
    texts = DATA.texts[:12]
    found = lexical.classify(texts, explain=True)
    assert found.saliency is not None
    drops = []
    for number, saliency in enumerate(found.saliency):
        text, source = texts[number], int(found.scores[number].argmax())
        heaviest, lightest = (
            without(text, saliency.offsets, np.array([place]))
            for place in (saliency.weights.argmax(), saliency.weights.argmin())
        )
        scores = lexical.classify([heaviest, lightest]).scores[:, source]
        drops.append(scores[1] - scores[0])
    assert np.mean(drops) > 0
    assert np.mean(np.array(drops) > 0) > 0.7


def test_every_token_of_every_window_has_its_numbers(hybrid: LoadedModel) -> None:
    before = hybrid.classify(TEXTS)
    found = hybrid.classify(TEXTS, explain=True)
    assert before.saliency is None
    assert found.saliency is not None
    np.testing.assert_array_equal(found.probabilities, before.probabilities)
    np.testing.assert_array_equal(hybrid.classify(TEXTS).probabilities, before.probabilities)
    for text, saliency in zip(TEXTS, found.saliency, strict=True):
        assert saliency.reads_backbone
        starts = saliency.offsets[:, 0]
        assert (starts[1:] >= starts[:-1]).all()
        covered = np.zeros(len(text), np.bool_)
        for start, end in saliency.offsets.tolist():
            covered[start:end] = True
        assert covered[[not character.isspace() for character in text]].all()
        for part in (*saliency.parts, saliency.weights):
            assert part.shape == (len(starts),)
            assert np.isfinite(part).all()
        assert not np.allclose(saliency.parts.channels, saliency.parts.gradient)


def test_a_text_is_explained_alike_whatever_comes_with_it(hybrid: LoadedModel) -> None:
    together = hybrid.classify(TEXTS, explain=True).saliency
    (alone,) = hybrid.classify([TEXTS[3]], explain=True).saliency or []
    assert together is not None
    np.testing.assert_allclose(alone.weights, together[3].weights, atol=1e-5)
