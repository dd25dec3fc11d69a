"""Texts of several sources, from the corpus to the answer."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from db.settings import Settings
from sip_model.corpora.document import Document
from sip_model.identifiers.identifier import Identifier
from sip_model.inference.identify import LoadedModel
from tests.worker.kinds.configs import train_config
from tests.worker.kinds.conftest import AddDataset, Run
from tests.worker.kinds.corpora import CHUNK_WORDS, CHUNKS, make_document, make_documents
from worker.jobs.reading import catalog_of

SOURCES = ("ash", "birch", "cedar", "fir")
PAIRS = list(combinations(range(len(SOURCES)), 2))
FROM = 0.3


def passage(number: int) -> str:
    """Words that stand nowhere else, and more tokens than the tiny backbone reads at once."""
    return " ".join(f"planted{number}x{word}" for word in range(CHUNK_WORDS))


def with_passages() -> list[Document]:
    """A passage for every pair of sources, in the middle of both documents: with seed 3 it is trained on."""
    documents = make_documents(SOURCES)
    words = [document.text.split() for document in documents]
    for number, pair in enumerate(PAIRS):
        for source in pair:
            first = (8 + 3 * number) * CHUNK_WORDS
            words[source][first : first + CHUNK_WORDS] = passage(number).split()
    return [
        Document(document.document, " ".join(text), document.sources)
        for document, text in zip(documents, words, strict=True)
    ]


@pytest.mark.parametrize("features", ["hybrid", "lexical"])
def test_a_passage_that_stands_in_two_sources_is_given_both(
    run: Run, run_in_process: Run, add_dataset: AddDataset, settings: Settings, features: str
) -> None:
    train = run_in_process if features == "hybrid" else run
    trained = train("train", add_dataset("planted", with_passages()), train_config(features), seed=3)
    assert trained.experiment.status == "succeeded", trained.experiment.error_message
    found = trained.metrics()
    assert found["data/duplicates_merged", None] == len(PAIRS)
    assert ("eval/label_micro_f1", "test") not in found  # no text of the test part has two

    loaded = LoadedModel.load(trained.model_folder(), catalog_of(settings), "cpu")
    assert loaded.sources == SOURCES
    planted = loaded.classify([passage(number) for number in range(len(PAIRS))])
    returned = [tuple(np.flatnonzero(row > FROM).tolist()) for row in planted.probabilities]
    assert returned == PAIRS
    assert planted.known.all()
    np.testing.assert_allclose(planted.probabilities.sum(axis=1) + planted.unknown, 1)

    test = [row for row in trained.table("predictions.parquet") if row["split"] == "test"]
    texts = {document.document: document.text for document in with_passages()}
    ordinary = [texts[row["document"]][row["start"] : row["end"]] for row in test]
    identifier = loaded.artifact.identifier
    assert isinstance(identifier, Identifier)
    assert identifier.quotations.shares(ordinary).sum() == 0


def test_documents_of_several_sources_are_learned_and_scored_as_such(
    run: Run, add_dataset: AddDataset
) -> None:
    documents = [
        Document(document.document, document.text, (SOURCES[first], SOURCES[second]))
        for number, (first, second) in enumerate(PAIRS)
        for document in [make_document(f"pair {number}", CHUNKS, 0)]
    ]
    dataset_id = add_dataset("pairs", documents)
    trained = run("train", dataset_id, train_config())
    assert trained.experiment.status == "succeeded", trained.experiment.error_message
    found = _label_scores(trained.metrics())
    assert found["eval/label_cardinality"] == 2
    assert found["eval/precision@1"] > found["eval/precision@3"] > 1 / 2
    assert found["eval/label_micro_f1"] > 0.6  # two of four at random: 0.5
    test = [row for row in trained.table("predictions.parquet") if row["split"] == "test"]
    both = [
        sum(entry["probability"] for entry in row["predicted"] if entry["source"] in (row["sources"] or []))
        for row in test
    ]
    assert np.mean(both) > 0.6

    evaluated = run("evaluate", dataset_id, {}, model_id=trained.experiment.model_id)
    assert _label_scores(evaluated.metrics()) == pytest.approx(found, abs=1e-5)


def _label_scores(metrics: dict[Any, float | None]) -> dict[str, float]:
    names = ("label", "subset", "hamming", "precision", "ndcg")
    return {
        name: value or 0.0
        for (name, split), value in metrics.items()
        if split == "test" and name.removeprefix("eval/").startswith(names)
    }
