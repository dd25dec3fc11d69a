"""The bundled backbone against the library its weights were made with."""

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from sip_model.backbones.bundled import bundled_folder
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.extract import extract_features

TEXTS = [
    "Where does this text come from?",
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in "
    "want of a wife.",
    "x",
    "def largest(numbers: list[int]) -> int: return max(numbers)",
    "Größe, 漢字, 🙂",
]


@pytest.mark.parametrize(("dtype", "least"), [("float32", 0.99999), ("bfloat16", 0.999)])
def test_mean_pooled_minilm_agrees_with_sentence_transformers(dtype: str, least: float) -> None:
    backbone = BackboneCatalog({}).load(
        "minilm", device="cpu", dtype="float32" if dtype == "float32" else "bfloat16"
    )
    ours = extract_features(backbone, TEXTS, (6,), "mean").features[:, 0]  # (n, D)
    ours /= np.linalg.norm(ours, axis=1, keepdims=True)
    theirs = SentenceTransformer(str(bundled_folder("minilm")), device="cpu").encode(
        TEXTS, normalize_embeddings=True, show_progress_bar=False
    )
    assert (ours * theirs).sum(1).min() >= least
