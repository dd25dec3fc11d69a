"""`/classify` and `/embed` with a model that has tuned its backbone."""

from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from db import models
from db.session import Database
from db.storage import ArtifactStore
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.extract import extract_features
from sip_model.inference.identify import LoadedModel
from tests.api.conftest import upload
from tests.api.trained import TEXTS, publish_trained_model

ASKED = TEXTS[:7]


def test_answers_come_from_the_tuned_weights(
    client: TestClient, database: Database, store: ArtifactStore, tmp_path: Path
) -> None:
    """And a backbone asked for by its own name keeps its own."""
    upload(client)
    experiment = str(client.post("/experiments", json={"kind": "train", "dataset": "tales"}).json()["id"])
    model = publish_trained_model(database, store, tmp_path, experiment, "tuned")
    with database.session() as session:
        row = models.get(session, model)
    files = {name: str(sha256) for name, sha256 in row.files.items()}
    assert "backbone.safetensors" in files
    loaded = LoadedModel.load(store.local_folder(row.storage_key, files), BackboneCatalog({}), "cpu")
    assert all("layer.5." in name for name in loaded.artifact.tuned)

    expected = loaded.classify(ASKED)
    body = {"input": ASKED, "model": model, "top_k": 3}
    for index, result in enumerate(client.post("/classify", json=body).json()["results"]):
        for entry in result["distribution"]:
            probability = expected.probabilities[index, entry["source_id"]]
            assert entry["probability"] == pytest.approx(probability, abs=1e-6)

    assert loaded.backbone is not None
    for layer, differs in ((5, False), (6, True)):
        answer = client.post(
            "/embed", json={"input": ASKED, "model": model, "layer": layer, "normalize": False}
        )
        vectors = np.array([entry["embedding"] for entry in answer.json()["data"]])
        tuned = extract_features(loaded.backbone, ASKED, (layer,), "mean", 64).features[:, 0]
        np.testing.assert_allclose(vectors, tuned, atol=1e-6)
        asked = {"input": ASKED, "backbone": "minilm", "layer": layer, "normalize": False}
        original = np.array([row["embedding"] for row in client.post("/embed", json=asked).json()["data"]])
        # the catalogue may read the original in another arithmetic
        assert (np.abs(vectors - original).max() > 0.02) == differs
