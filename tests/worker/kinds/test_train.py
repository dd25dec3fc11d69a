"""Kind `train`."""

import json

import pytest

from db.settings import Settings
from sip_model.errors import InvalidInputError
from sip_model.inference.identify import LoadedModel
from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import AddDataset, Results, Row, Run
from tests.worker.kinds.corpora import make_document, make_documents
from worker.jobs.reading import catalog_of

SOURCES = ("ash", "birch", "cedar", "elm")
DOCUMENTS = [*make_documents(SOURCES), make_document("short", 4, 0)]


def weights(results: Results) -> object:
    """Checksum of the weights that were published."""
    return results.model().files["identifier.safetensors"]


@pytest.fixture
def dataset_id(add_dataset: AddDataset) -> str:
    """Four sources that take part and one too short to."""
    return add_dataset("trees", DOCUMENTS)


def test_a_model_with_scores_and_predictions_comes_out(run: Run, dataset_id: str) -> None:
    results = run("train", dataset_id, train_config())
    row, found = results.experiment, results.metrics()
    assert (row.status, row.error_message) == ("succeeded", None)
    assert found["baseline/chance_accuracy", "test"] == 1 / len(SOURCES)
    assert (found["eval/accuracy", "test"] or 0) > 0.5
    assert (found["baseline/lexical_accuracy", "test"] or 0) > 0.5
    for name in (
        "top5_accuracy",
        "macro_f1",
        "ece_debiased",
        "classwise_ece",
        "nll",
        "false_rejections",
        "aurc",
    ):
        assert found[f"eval/{name}", "test"] is not None
    assert (found["data/sources", None], found["data/sources_left_out", None]) == (4, 1)

    table = results.document("sources.json")
    assert [entry["source"] for entry in table["sources"]] == list(SOURCES)
    assert table["left_out"] == [{"source": "short", "num_chunks": 4}]

    reliability = json.loads(results.file("reliability.json").read_text())
    assert sum(entry["samples"] for entry in reliability["bins"]) == found["data/samples", "test"]
    assert reliability["ece"] == found["eval/ece", "test"]

    predictions = results.table("predictions.parquet")
    assert {entry["split"] for entry in predictions} == {"calibration", "test"}
    test = [entry for entry in predictions if entry["split"] == "test"]
    assert len(test) == found["data/samples", "test"]
    assert _accuracy(test) == pytest.approx(found["eval/accuracy", "test"])

    texts = {document.document: document.text for document in DOCUMENTS}
    unseen = [json.loads(line) for line in results.file("unseen.jsonl").read_text().splitlines()]
    places = {texts[entry["document"]][entry["start"] : entry["end"]] for entry in test}
    assert len(unseen) == 20
    assert {passage["text"] for passage in unseen} <= places

    model = results.model()
    assert (model.name, model.is_default, model.sources) == ("train", True, list(SOURCES))
    assert sorted(model.files) == ["evidence.safetensors", "identifier.safetensors", "model.json"]


def test_passages_of_the_training_part_alone_are_kept_as_evidence(
    run: Run, dataset_id: str, settings: Settings
) -> None:
    results = run("train", dataset_id, train_config())
    texts = {document.document: document.text for document in DOCUMENTS}
    held_out = [
        texts[row["document"]][row["start"] : row["end"]] for row in results.table("predictions.parquet")
    ]
    loaded = LoadedModel.load(results.model_folder(), catalog_of(settings), "cpu")
    found = loaded.classify(held_out, evidence=3, coverage=0.9)
    assert found.evidence is not None
    assert found.sets is not None
    for text, passages in zip(held_out, found.evidence, strict=True):
        assert len(passages) == 3
        for passage in passages:
            assert passage.passage.text != text
            document, start, end, content = passage.passage
            assert texts[document][start:end] == content
    assert found.sets.any(axis=1).all()


def test_a_corpus_may_keep_its_text_to_itself(run: Run, dataset_id: str, settings: Settings) -> None:
    results = run("train", dataset_id, train_config() | {"evidence": {"keep": False}})
    assert sorted(results.model().files) == ["identifier.safetensors", "model.json"]
    loaded = LoadedModel.load(results.model_folder(), catalog_of(settings), "cpu")
    with pytest.raises(InvalidInputError, match="evidence"):
        loaded.classify(["x"], evidence=1)


def _accuracy(rows: list[Row]) -> float:
    return sum(row["predicted"][0]["source"] in row["sources"] for row in rows) / len(rows)


def test_the_same_experiment_again_gives_the_same_numbers_from_cached_features(
    run: Run, run_in_process: Run, dataset_id: str
) -> None:
    first = run_in_process("train", dataset_id, train_config())
    second = run("train", dataset_id, train_config())
    assert weights(first) == weights(second)
    mine, theirs = (
        {key: value for key, value in results.metrics().items() if not key[0].startswith("system/")}
        for results in (first, second)
    )
    assert mine == theirs
    assert first.steps("train/loss") == second.steps("train/loss")
    assert first.file("predictions.parquet").read_bytes() == second.file("predictions.parquet").read_bytes()
    num_samples = sum(value or 0 for key, value in mine.items() if key[0] == "data/samples")
    assert first.metrics()["system/features_cached", None] == 0
    assert second.metrics()["system/features_cached", None] == num_samples
    assert second.metrics()["system/features_computed", None] == 0


def test_the_epochs_of_all_branches_are_recorded_in_one_line(run: Run, dataset_id: str) -> None:
    steps = [step for step, _ in run("train", dataset_id, train_config()).steps("validation/loss")]
    assert steps == list(range(1, len(steps) + 1))
    assert 6 <= len(steps) <= 12


@pytest.mark.parametrize(
    ("block", "error_type", "message"),
    [
        (
            {"backbone": {"id": "tiny", "pooling": "last"}},
            "BackboneError",
            "backbone.pooling: expected one of",
        ),
        ({"backbone": {"id": "tiny", "layers": [9]}}, "BackboneError", "backbone.layers"),
        ({"backbone": {"id": "someone/else"}}, "BackboneError", "backbone.id: expected one of minilm, tiny"),
        ({"chunk": {"num_words": 8, "min_per_source": 90}}, "InvalidInputError", "source"),
        ({"split": {"by": "given"}}, "CorpusError", "split"),
        ({"training": {"learning_rate": 10.0, "epochs": 2}, "identifier": {"head": "large"}}, None, ""),
    ],
)
def test_what_cannot_be_done_fails_with_its_reason(
    run: Run, dataset_id: str, block: dict[str, dict[str, object]], error_type: str | None, message: str
) -> None:
    row = run("train", dataset_id, train_config() | block).experiment
    if error_type is None:
        assert row.status == "succeeded", row.error_message  # bad, yet finite: a result like any other
        return
    assert (row.status, row.error_type, row.attempt, row.model_id) == ("failed", error_type, 1, None)
    assert message in (row.error_message or "")
