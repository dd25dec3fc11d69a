"""Kind `duplicates`: near-duplicates of a dataset, without a language model."""

from sip_model.corpora.document import Document
from tests.worker.kinds.conftest import AddDataset, Run

NUM_WORDS = 12


def words(stem: str) -> str:
    return " ".join(f"{stem}{number}" for number in range(3 * NUM_WORDS))


def test_a_passage_that_two_sources_share_is_found(run: Run, add_dataset: AddDataset) -> None:
    shared = " ".join(f"shared{number}" for number in range(NUM_WORDS))
    documents = [
        Document(document=source, text=f"{words(source)} {shared}", sources=(source,))
        for source in ("ash", "birch")
    ]
    config = {"chunk": {"num_words": NUM_WORDS, "min_per_source": 1}}
    left = run("duplicates", add_dataset("trees", documents), config)
    assert left.experiment.status == "succeeded", left.experiment.error_message
    report = left.document("duplicates.json")
    assert (report["chunks"], report["in_groups"], report["groups"], report["across_sources"]) == (8, 2, 1, 1)
    assert report["largest"] == [
        {"chunks": 2, "sources": ["ash", "birch"], "documents": 2, "examples": [shared]}
    ]
    assert left.metrics()["data/near_duplicates", None] == 2


def test_a_corpus_of_too_few_chunks_fails_and_says_so(run: Run, add_dataset: AddDataset) -> None:
    documents = [Document(document=each, text=words(each), sources=(each,)) for each in ("ash", "birch")]
    config = {"chunk": {"num_words": NUM_WORDS}, "duplicates": {"listed": 1}}
    row = run("duplicates", add_dataset("trees", documents), config).experiment
    assert row.status == "failed"  # no source has the ten chunks that the default asks for
    assert row.error_message is not None
