"""Kind `probe`."""

import pytest

from db import metrics
from db.metrics import MetricFilter
from sip_model.corpora.document import Document
from tests.worker.kinds.configs import JSONConfig
from tests.worker.kinds.conftest import AddDataset, Results, Run
from tests.worker.kinds.corpora import CHUNK_WORDS, make_document, make_documents

SOURCES = ("ash", "birch", "cedar", "elm")
LAYERS = (0, 3)


def probe_config(**probe: object) -> JSONConfig:
    """Quick probes of the tiny backbone."""
    return {
        "backbone": {"id": "tiny", "layers": list(LAYERS), "dtype": "float32", "max_tokens": 64},
        "chunk": {"num_words": CHUNK_WORDS},
        "probe": {"seeds": 2, "hidden": 16, "max_passes": 8, "learning_rate": 0.03, **probe},
    }


def by_layer(results: Results, name: str) -> dict[int | None, float | None]:
    """A metric's values by layer."""
    with results.database.session() as session:
        wanted = MetricFilter(experiments=(results.experiment.id,))
        rows = metrics.poll(session, wanted, limit=5000).rows
        return {row.layer: row.value for row in rows if row.name == name and row.backbone == "tiny"}


@pytest.fixture
def dataset_id(add_dataset: AddDataset) -> str:
    """Four sources that take part and one too short to."""
    return add_dataset("trees", [*make_documents(SOURCES), make_document("short", 4, 0)])


def test_every_layer_is_probed_on_its_own(run: Run, dataset_id: str) -> None:
    results = run("probe", dataset_id, probe_config())
    row, found = results.experiment, results.metrics()
    assert (row.status, row.error_message) == ("succeeded", None)
    assert found["baseline/chance_accuracy", "test"] == 1 / len(SOURCES)
    assert (found["baseline/lexical_accuracy", "test"] or 0) > 0.5
    probes = results.document("probes.json")
    assert [(entry["layer"], entry["probe"]) for entry in probes["probes"]] == [
        (layer, probe) for layer in LAYERS for probe in ("linear", "nonlinear")
    ]
    assert probes["left_out"] == [{"source": "short", "num_chunks": 4}]
    for probe in ("linear", "nonlinear"):
        accuracy, control, selectivity = (
            by_layer(results, f"probe/{probe}/{name}")
            for name in ("accuracy", "control_accuracy", "selectivity")
        )
        assert set(accuracy) == set(LAYERS)
        for layer in LAYERS:
            assert accuracy[layer] is not None
            assert control[layer] is not None
            assert selectivity[layer] == pytest.approx((accuracy[layer] or 0) - (control[layer] or 0))
        for name in ("description_length_bits", "compression"):
            assert all((value or 0) > 0 for value in by_layer(results, f"probe/{probe}/{name}").values())
    assert (by_layer(results, "probe/linear/accuracy")[0] or 0) > 0.4
    assert (row.done, row.total) == (8, 8)


def test_predictions_give_the_accuracies_again(run: Run, dataset_id: str) -> None:
    results = run("probe", dataset_id, probe_config(control=False, description_length=False))
    rows = results.table("predictions.parquet")
    num_test = results.metrics()["data/samples", "test"]
    assert {row["split"] for row in rows} == {"test"}
    for layer in LAYERS:
        for probe, num_seeds in (("linear", 1), ("nonlinear", 2)):
            mine = [row for row in rows if (row["layer"], row["probe"]) == (layer, probe)]  # type: ignore[typeddict-item]  # columns of this kind alone
            assert len(mine) == num_seeds * (num_test or 0)
            right = sum(row["predicted"][0]["source"] in row["sources"] for row in mine)
            assert right / len(mine) == pytest.approx(by_layer(results, f"probe/{probe}/accuracy")[layer])
    assert by_layer(results, "probe/linear/selectivity") == {}
    assert by_layer(results, "probe/linear/compression") == {}


def test_the_same_experiment_again_gives_the_same_numbers(
    run: Run, run_in_process: Run, dataset_id: str
) -> None:
    first, second = (
        start("probe", dataset_id, probe_config(layers=[3], seeds=1)) for start in (run_in_process, run)
    )
    for name in ("probes.json", "predictions.parquet"):
        assert first.file(name).read_bytes() == second.file(name).read_bytes()
    assert second.metrics()["system/features_computed", None] == 0


def test_the_probe_block_may_name_its_layers(run: Run, dataset_id: str) -> None:
    config = probe_config(layers="all", probes=["linear"], control=False, description_length=False)
    assert set(by_layer(run("probe", dataset_id, config), "probe/linear/accuracy")) == {0, 1, 2, 3}


def test_texts_of_two_sources_are_right_with_either(run: Run, add_dataset: AddDataset) -> None:
    documents = [
        *make_documents(SOURCES),
        *(
            Document(
                document=f"both {number}", text=make_document("ash", 20, number).text, sources=("ash", "oak")
            )
            for number in (5, 6)
        ),
    ]
    results = run("probe", add_dataset("mixed", documents), probe_config(probes=["linear"]))
    assert results.experiment.status == "succeeded", results.experiment.error_message
    rows = results.table("predictions.parquet")
    assert any(set(row["sources"]) == {"ash", "oak"} for row in rows)


@pytest.mark.parametrize(
    ("block", "error_type", "message"),
    [
        ({"probe": {"layers": [9]}}, "BackboneError", "backbone.layers"),
        ({"chunk": {"num_words": 8, "min_per_source": 90}}, "InvalidInputError", "source"),
    ],
)
def test_what_cannot_be_done_fails_with_its_reason(
    run: Run, dataset_id: str, block: JSONConfig, error_type: str, message: str
) -> None:
    row = run("probe", dataset_id, probe_config() | block).experiment
    assert (row.status, row.error_type) == ("failed", error_type)
    assert message in (row.error_message or "")
