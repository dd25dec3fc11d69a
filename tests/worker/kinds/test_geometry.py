"""Kind `geometry`."""

from dataclasses import replace
from typing import cast

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import silhouette_score

from db import metrics
from db.metric_search import MetricRow
from db.metrics import MetricFilter
from tests.worker.kinds.configs import JSONConfig
from tests.worker.kinds.conftest import AddDataset, Results, Run
from tests.worker.kinds.corpora import CHUNK_WORDS, make_documents

AUTHORS = {"ash": "Ann", "birch": "Ann", "cedar": "Bob", "elm": "Bob", "fir": "Cy"}
DOCUMENTS = [
    replace(document, author=AUTHORS[document.sources[0]], metadata={"genre": document.sources[0][0]})
    for document in make_documents(tuple(AUTHORS))
]
LAYERS = (1, 3)


def geometry_config(**block: object) -> JSONConfig:
    """Quick measurements on the tiny backbone."""
    return {
        "backbone": {"id": "tiny", "dtype": "float32", "max_tokens": 64},
        "chunk": {"num_words": CHUNK_WORDS},
        "geometry": {"layers": list(LAYERS), "chunks_per_class": 20, "seeds": 2, "permutations": 19, **block},
    }


@pytest.fixture
def dataset_id(add_dataset: AddDataset) -> str:
    """Five sources by three authors."""
    return add_dataset("trees", DOCUMENTS)


def rows_of(results: Results) -> list[MetricRow]:
    with results.database.session() as session:
        return list(
            metrics.poll(session, MetricFilter(experiments=(results.experiment.id,)), limit=5000).rows
        )


def by_layer(results: Results) -> dict[tuple[str, int | None], float | None]:
    """Values without a step, by name and layer."""
    return {(row.name, row.layer): row.value for row in rows_of(results) if row.step is None}


def test_scores_coordinates_and_figures_come_out(run: Run, dataset_id: str) -> None:
    results = run("geometry", dataset_id, geometry_config())
    assert (results.experiment.status, results.experiment.error_message) == ("succeeded", None)
    found = by_layer(results)
    assert found["geometry/dimension", None] == 32
    for layer in LAYERS:
        for name in ("silhouette", "silhouette_euclidean", "silhouette_author", "silhouette_test"):
            assert -1 < (found[f"geometry/{name}", layer] or 0) < 1
        assert 1 / 20 <= (found["geometry/silhouette_p", layer] or 0) <= 1
        assert found["geometry/silhouette_null_mean", layer] is not None
        assert found["geometry/silhouette_null_sd", layer] is not None
        assert 0 < (found["geometry/centroid_author_correlation_p", layer] or 0) <= 1
        assert found["geometry/nearest_centroid_same_author_chance", layer] == 1 / 4
    assert {row.backbone for row in rows_of(results) if row.name.startswith("geometry/")} == {"tiny"}

    report = results.document("geometry.json")
    assert [entry["layer"] for entry in report["layers"]] == list(LAYERS)
    assert [entry["category"] for entry in report["sources"]] == list(AUTHORS.values())
    assert len(report["panels"]) == len(LAYERS) * 2 * 2
    for classes in (3, 4):
        assert results.file(f"projection_{classes}_classes.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in results.file(f"projection_{classes}_classes.svg").read_text(encoding="utf-8")


def test_every_panels_coordinates_are_there_and_give_its_silhouette(run: Run, dataset_id: str) -> None:
    results = run("geometry", dataset_id, geometry_config())
    rows = pq.read_table(results.file("coordinates.parquet")).to_pylist()
    texts = {document.document: document.text for document in DOCUMENTS}
    panels: dict[tuple[int, int, int], list[dict[str, object]]] = {}
    for row in rows:
        panels.setdefault((row["layer"], row["classes"], row["seed"]), []).append(row)
        assert len(texts[row["document"]][row["start"] : row["end"]].split()) == CHUNK_WORDS
        assert row["document"].startswith(row["source"])
        assert row["projection"] == "pca"
        assert 0 < row["explained_variance_y"] <= row["explained_variance_x"] < 1
    assert {row["split"] for row in rows} == {"train", "validation", "calibration", "test"}
    expected = {
        (row.layer, int(row.name.split("_")[2]), row.step): row.value
        for row in rows_of(results)
        if row.name in ("geometry/panel_silhouette_3_classes", "geometry/panel_silhouette_4_classes")
    }
    assert set(panels) == set(expected)
    for key, panel in panels.items():
        assert len({row["source"] for row in panel}) == key[1]
        points = np.array([[cast("float", row["x"]), cast("float", row["y"])] for row in panel])
        assert silhouette_score(points, [row["source"] for row in panel]) == pytest.approx(expected[key])


def test_the_same_experiment_again_gives_the_same_files_from_cached_features(
    run: Run, run_in_process: Run, dataset_id: str
) -> None:
    first = run_in_process("geometry", dataset_id, geometry_config(projection="bottleneck"))
    second = run("geometry", dataset_id, geometry_config(projection="bottleneck"))
    for name in (
        "coordinates.parquet",
        "geometry.json",
        "projection_3_classes.png",
        "projection_4_classes.svg",
    ):
        assert first.file(name).read_bytes() == second.file(name).read_bytes()
    assert second.metrics()["system/features_computed", None] == 0


def test_sources_can_be_grouped_by_a_field_of_ones_own(run: Run, dataset_id: str) -> None:
    found = by_layer(run("geometry", dataset_id, geometry_config(category="genre", classes=[])))
    names = {name for name, _ in found}
    # every genre has one source: there is nothing to compare
    assert not {name for name in names if "category" in name or "author" in name}
    assert "geometry/silhouette" in names


def test_silhouettes_of_a_large_corpus_are_sampled_and_say_so(run: Run, dataset_id: str) -> None:
    results = run("geometry", dataset_id, geometry_config(max_samples=50, projection="lda"))
    assert results.metrics()["geometry/samples", None] == 50
    assert results.document("geometry.json")["samples"]["measured"] == 50


@pytest.mark.parametrize(
    ("block", "error_type", "message"),
    [
        ({"classes": [6]}, "InvalidInputError", "geometry.classes: expected at most 5"),
        ({"layers": [9]}, "BackboneError", "backbone.layers"),
    ],
)
def test_what_cannot_be_done_fails_with_its_reason(
    run: Run, dataset_id: str, block: dict[str, object], error_type: str, message: str
) -> None:
    row = run("geometry", dataset_id, geometry_config(**block)).experiment
    assert (row.status, row.error_type) == ("failed", error_type)
    assert message in (row.error_message or "")
