"""The parts of characters in a linear map over n-grams."""

import numpy as np
import pytest

from sip_model.analysis.saliency.lexical import character_parts, occurrences, words_of
from sip_model.experiments.config import LossName
from sip_model.identifiers.branches import LexicalBranch
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.ngrams import NGRAM_SPECS, HashedNgrams, NgramSpec

TEXTS = [
    "The sea, the sea: İstanbul isn't far!",
    "a harbour by the sea",
    "The harbour  of\tİstanbul\n lay still.",
    "x",
    "ΟΔΥΣΣΕΥΣ by the sea — ΟΔΥΣΣΕΥΣ",
]
DIRECTION = np.array([1.0, -0.25, -0.75])


def branch_of(spec: NgramSpec, loss: LossName = "bce") -> LexicalBranch:
    """A branch with drawn weights over three sources."""
    ngrams = HashedNgrams.fit(spec, TEXTS)
    num_outputs = 3 if spec.member == "naive_bayes" else LOSSES[loss].num_outputs(3)
    weight = np.random.default_rng(0).normal(size=(len(ngrams.buckets), num_outputs)).astype(np.float32)
    return LexicalBranch(ngrams, weight, -0.5, LOSSES[loss], 3)


@pytest.mark.parametrize("spec", NGRAM_SPECS, ids=lambda spec: spec.name)
@pytest.mark.parametrize("text", [*TEXTS, "nobody knows quokkas", "  ", ""])
def test_the_parts_add_up_to_what_the_map_says(spec: NgramSpec, text: str) -> None:
    branch = branch_of(spec)
    parts = character_parts(branch, text, DIRECTION)
    assert parts.shape == (len(text),)
    said = float(branch.scores([text]).logits[0].double().numpy() @ DIRECTION)
    assert parts.sum() == pytest.approx(said, abs=1e-4)
    assert not parts[[position for position, c in enumerate(text) if c.isspace()]].any()


@pytest.mark.parametrize("spec", NGRAM_SPECS, ids=lambda spec: spec.name)
def test_the_occurrences_are_what_the_vectorizer_counts(spec: NgramSpec) -> None:
    everything = HashedNgrams(
        spec, np.arange(2**spec.hash_bits, dtype=np.int32), np.ones(2**spec.hash_bits, np.float32)
    )
    for text in TEXTS:
        columns = everything.columns([ngram.text for ngram in occurrences(spec, text.lower())])
        row = everything([text])
        assert sorted(set(columns.tolist())) == sorted(row.indices.tolist())
        counts = np.bincount(columns, minlength=2**spec.hash_bits)[row.indices]
        ratios = row.data / (1 + np.log(counts))  # TF-IDF values but for the row's length
        np.testing.assert_allclose(ratios, ratios[0], rtol=1e-5)


def test_a_word_that_stands_for_a_source_has_the_largest_part() -> None:
    branch = branch_of(NgramSpec("words", "trained", "word", 1, 1))
    column = int(branch.ngrams.columns(["sea"])[0])
    branch.weight[:] = 0
    branch.weight[column, 0] = 3
    text = "The sea is far from the SEA."
    parts = character_parts(branch, text, DIRECTION)
    assert sorted(np.flatnonzero(parts).tolist()) == [4, 5, 6, 24, 25, 26]
    np.testing.assert_allclose(parts[4:7], parts[24:27])


def test_bits_of_a_code_have_their_part_by_gradient() -> None:
    branch = branch_of(NgramSpec("words", "trained", "word", 1, 1), "binary_code")
    parts = character_parts(branch, TEXTS[1], DIRECTION)
    assert np.isfinite(parts).all()
    assert parts.any()


def test_words_are_runs_of_letters_and_single_marks() -> None:
    assert [TEXTS[0][start:end] for start, end in words_of(TEXTS[0])][:4] == ["The", "sea", ",", "the"]
    assert words_of("").shape == (0, 2)
