"""Texts to vectors."""

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from sip_model.backbones.bundled import bundled_folder
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.errors import BackboneError
from sip_model.experiments.config import BackboneConfig
from sip_model.inference.embed import Embedder

TEXTS = ["Where does this text come from?", "x", "Größe, 漢字, 🙂", "A list of numbers and words. " * 40]


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    """The bundled backbone with every default but the arithmetic."""
    return Embedder.load(BackboneConfig(dtype="float32"), BackboneCatalog({}), "cpu")


def test_minilm_agrees_with_sentence_transformers(minilm: Embedder) -> None:
    theirs = SentenceTransformer(str(bundled_folder("minilm")), device="cpu")
    theirs.max_seq_length = minilm.max_tokens
    found = minilm.embed(TEXTS)
    ours = found.vectors / np.linalg.norm(found.vectors, axis=1, keepdims=True)
    expected = theirs.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    assert (ours * expected).sum(axis=1).min() >= 0.999
    assert found.vectors.dtype == np.float32
    assert found.num_tokens > 40


def test_vectors_come_in_the_order_of_the_texts(minilm: Embedder) -> None:
    vectors = minilm.embed(TEXTS).vectors
    np.testing.assert_allclose(minilm.embed(TEXTS[::-1]).vectors[::-1], vectors, atol=1e-5)
    np.testing.assert_allclose(minilm.embed(TEXTS[2:3]).vectors[0], vectors[2], atol=1e-5)


def test_of_several_layers_the_deepest_is_read() -> None:
    both = Embedder.load(BackboneConfig(layers=(3, 1), dtype="float32"), BackboneCatalog({}), "cpu")
    assert both.layer == 3


def test_what_the_backbone_cannot_do_is_refused() -> None:
    with pytest.raises(BackboneError, match="pooling"):
        Embedder.load(BackboneConfig(pooling="last"), BackboneCatalog({}), "cpu")
