"""The benchmark of planted passages: its cases, and its numbers on made-up answers."""

from collections import Counter

import numpy as np
import pytest

from benchmarks.planted import page, problems_of, summary
from benchmarks.planted_cases import Case, draw_cases, planted
from benchmarks.planted_measures import Measured
from sip_model.corpora.document import Document
from sip_model.corpora.samples import Samples, deal_chunks, prepare_samples
from sip_model.corpora.split import TRAIN
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import ChunkConfig, SourcesConfig, SplitConfig

CHUNK = ChunkConfig(num_words=32, max_per_source=20)
SOURCES = SourcesConfig(limit=4)
NUM_CASES = 6


def document(name: str, num_chunks: int) -> Document:
    words = [f"{name}{number}" for number in range(32 * num_chunks)]
    return Document(name, "\n".join(words), (f"book {name}",))


# the last two are the shortest: they take no part
DOCUMENTS = [*(document(name, 120) for name in "abcd"), *(document(name, 40) for name in "yz")]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Case], Samples]:
    """The cases, and the samples of the corpus with the passages in it."""
    folder = tmp_path_factory.mktemp("planted")
    write_corpus(DOCUMENTS, folder / "before.parquet")
    dealt = deal_chunks(Corpus(folder / "before.parquet"), CHUNK, SOURCES, SplitConfig(), 1)
    cases = draw_cases(dealt, DOCUMENTS, 32, NUM_CASES, 1)
    write_corpus(planted(DOCUMENTS, cases), folder / "after.parquet")
    return cases, prepare_samples(Corpus(folder / "after.parquet"), CHUNK, SOURCES, SplitConfig(), 1)


def test_whole_passages_become_one_training_sample_of_both_sources(
    drawn: tuple[list[Case], Samples],
) -> None:
    cases, samples = drawn
    assert [case.is_whole for case in cases] == [True] * NUM_CASES + [False] * NUM_CASES
    assert samples.merged_duplicates == NUM_CASES
    for case in cases[:NUM_CASES]:
        row = samples.texts.index(case.passage)
        names = {samples.sources[source] for source in samples.positives[row].tolist()}
        assert names == set(case.sources)
        assert len(names) == 2
        assert samples.parts[row] == TRAIN


def test_training_sees_half_or_more_of_a_moved_passage_in_both_documents(
    drawn: tuple[list[Case], Samples],
) -> None:
    cases, samples = drawn
    for case in cases[NUM_CASES:]:
        words = set(case.passage.split())
        seen: Counter[str] = Counter()
        for row, text in enumerate(samples.texts):
            shared = words.intersection(text.split())
            if shared:
                assert samples.parts[row] == TRAIN
                assert len(shared) < 32
                seen[samples.sources[int(samples.positives[row][0])]] += len(shared)
        assert set(seen) == set(case.sources)
        assert min(seen.values()) >= 16


def test_nothing_else_of_the_documents_changes(drawn: tuple[list[Case], Samples]) -> None:
    cases, _ = drawn
    foreign = {word for case in cases for word in case.passage.split()}
    for before, after in zip(DOCUMENTS, planted(DOCUMENTS, cases), strict=True):
        old, new = before.text.split(), after.text.split()
        assert len(old) == len(new)
        assert all(mine == other or other in foreign for mine, other in zip(old, new, strict=True))
        assert after.sources == before.sources


def measured(smaller: float, returned: int) -> Measured:
    scores = {"accuracy": 0.5, "nll": 2.0, "ece_debiased": 0.01, "ece_null_95": 0.02}
    pairs = [[smaller, 0.9 - smaller]] * 100
    return Measured(
        whole=pairs,
        moved=pairs,
        whole_by_members=[[0.1, 0.8]] * 100,
        moved_by_members=[[0.1, 0.8]] * 100,
        ordinary_returned=[returned] * 10 + [1] * 190,
        ordinary_returned_by_members=[1] * 200,
        scores=scores,
        scores_by_members=scores,
        quoted=0.01,
        trust=[0.0, 4.0],
        merged=100,
        seconds_of_quotations=0.02,
    )


def test_shares_are_pooled_over_seeds() -> None:
    found = summary([measured(0.4, 2), measured(0.2, 1)])
    assert found["whole"]["share"] == 0.5
    assert found["whole"]["number"] == 200
    assert (found["whole"]["smaller"], found["whole"]["larger"]) == pytest.approx((0.3, 0.6))
    assert found["whole_by_members"]["share"] == 0
    assert found["two"]["share"] == 10 / 400
    low, high = found["two"]["interval"]
    assert low < 10 / 400 < high
    assert any("0.500 [" in line for line in page(found))


def test_promises_that_do_not_hold_are_named() -> None:
    assert list(problems_of(summary([measured(0.4, 2)]))) == []
    problems = list(problems_of(summary([measured(0.2, 2)])))
    assert problems == ["both sources come back in 0.000 of the cases, expected 0.95"]
    too_many = measured(0.4, 2)
    too_many.ordinary_returned[:20] = np.full(20, 2).tolist()
    assert "of the ordinary passages get two" in next(problems_of(summary([too_many])))
