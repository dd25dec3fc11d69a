"""Random labels of words."""

import numpy as np

from sip_model.analysis.control_task import chunk_types, control_task
from tests.sip_model.analysis.probe_data import make_word_corpus, several
from tests.sip_model.identifiers.clusters import one_each


def test_the_type_is_the_word_most_at_home_in_the_chunk() -> None:
    texts = ["the whale, the whale and the sea", "the sea and the ship", "the ship and the sea", "the end"]
    assert chunk_types(texts, np.arange(3), 2) == ["whale", "ship", "ship", "end"]
    assert chunk_types(texts, np.arange(3), 3) == ["the", "the", "the", "the"]


def test_words_of_the_test_part_alone_decide_nothing() -> None:
    train = ["red hen", "red fox", "blue hen"]
    with_test = [*train, "fox fox fox", "hen red hen"]
    assert chunk_types(with_test, np.arange(3), 2)[:3] == chunk_types(train, np.arange(3), 2)


def test_chunks_without_a_known_word_have_a_type_too() -> None:
    assert chunk_types(["one two", "17 + 4", "three"], np.arange(2), 1) == ["one", "", "three"]


def test_chunks_of_a_type_share_a_label_in_all_parts() -> None:
    corpus = make_word_corpus()
    (first, second) = corpus.samples.controls
    for task in (first, second):
        for word in np.unique(corpus.words).tolist():
            assert len(set(task.positives.indices[corpus.words == word].tolist())) == 1
        assert task.known.all()
    assert (first.positives.indices != second.positives.indices).any()
    assert (first.positives.indices != corpus.sources).any()


def test_labels_are_as_frequent_as_the_sources() -> None:
    generator = np.random.default_rng(0)
    types = [f"w{number}" for number in generator.integers(2000, size=6000)]
    sources = np.repeat([0, 1, 2, 3], [3000, 1500, 1000, 500])
    task = control_task(types, np.arange(6000), one_each(sources), seed=1)
    counts = np.bincount(task.positives.indices, minlength=4)
    np.testing.assert_allclose(counts, [3000, 1500, 1000, 500], atol=10)


def test_labels_of_training_do_not_hang_on_the_test_part() -> None:
    types = ["a", "b", "c", "a", "z", "y"]
    positives = several([[0], [1], [2], [0, 1], [2], [1]])
    whole = control_task(types, np.arange(4), positives, seed=5)
    part = control_task(types[:4], np.arange(4), positives.take(np.arange(4)), seed=5)
    np.testing.assert_array_equal(whole.positives.indices[:4], part.positives.indices)
    assert whole.known.tolist() == [True, True, True, True, False, False]
