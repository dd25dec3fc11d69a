"""Hashed n-grams."""

import numpy as np
import pytest

from sip_model.identifiers.ngrams import NGRAM_SPECS, HashedNgrams, NgramSpec

TEXTS = ["The sea, the sea.", "the harbour", "a harbour by the sea", "snow"]
WORDS = NgramSpec("words", "trained", "word", 1, 1)


@pytest.mark.parametrize("spec", NGRAM_SPECS, ids=lambda spec: spec.name)
def test_rows_have_unit_length_and_do_not_depend_on_the_batch(spec: NgramSpec) -> None:
    ngrams = HashedNgrams.fit(spec, TEXTS)
    together = ngrams(TEXTS).toarray()
    assert together.dtype == np.float32
    lengths = np.linalg.norm(together, axis=1)
    np.testing.assert_allclose(lengths[lengths > 0], 1, rtol=1e-6)
    for row, text in zip(together, TEXTS, strict=True):
        np.testing.assert_array_equal(ngrams([text]).toarray()[0], row)


def test_novelty_is_the_share_of_ngrams_that_training_texts_have_not() -> None:
    found = HashedNgrams.fit(WORDS, TEXTS).read(["the sea", "the snow", "whale", "..."]).novelty
    assert found.tolist() == [0, 0.5, 1, 1]  # snow stands in one text alone


def test_only_ngrams_of_two_texts_count_and_the_rest_is_an_empty_row() -> None:
    ngrams = HashedNgrams.fit(WORDS, TEXTS)
    rows = ngrams([*TEXTS, "words nobody has seen"]).toarray()
    assert rows.shape == (5, 3)  # the, sea, harbour
    assert not rows[3].any()
    assert not rows[4].any()


def test_counts_are_damped_and_weighted_by_rarity() -> None:
    ngrams = HashedNgrams.fit(WORDS, TEXTS)
    (row,) = ngrams(["the sea the the harbour"]).toarray()
    idf = {samples: np.log(5 / (1 + samples)) + 1 for samples in (2, 3)}
    expected = np.array([(1 + np.log(3)) * idf[3], idf[2], idf[2]])
    np.testing.assert_allclose(np.sort(row), np.sort(expected / np.linalg.norm(expected)), rtol=1e-6)


def test_texts_without_a_word_in_common_still_make_rows() -> None:
    ngrams = HashedNgrams.fit(WORDS, ["one two", "three four"])
    assert ngrams(["two"]).nnz == 1


def test_punctuation_marks_are_words() -> None:
    ngrams = HashedNgrams.fit(WORDS, ["a; b", "c; d"])
    assert ngrams([";", "e"]).getnnz(axis=1).tolist() == [1, 0]
