"""Probing a layer."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from sip_model.analysis.probing import ProbeResult, num_fits, probe_layer
from sip_model.errors import InvalidInputError
from sip_model.experiments.probe import ProbeName, ProbeOptions
from sip_model.identifiers.positives import IntArray
from tests.sip_model.analysis.probe_data import make_word_corpus, several, with_other_test_labels

QUICK = ProbeOptions(
    seeds=2, penalties=(30.0, 3.0, 0.3), hidden=32, batch_size=32, learning_rate=0.02, max_passes=20
)
CORPUS = make_word_corpus()
NUM_WORDS = int(CORPUS.words.max()) + 1


def one_hot(values: IntArray, size: int, noise: float = 0.1) -> npt.NDArray[np.float32]:
    """Features (n, size) that hold one number per sample."""
    scatter = np.random.default_rng(1).normal(scale=noise, size=(len(values), size))
    return (np.eye(size)[values] + scatter).astype(np.float32)


def probe(features: npt.NDArray[np.float32], options: ProbeOptions = QUICK) -> dict[ProbeName, ProbeResult]:
    found = probe_layer(features, CORPUS.samples, options, seed=0, device="cpu")
    return {result.probe: result for result in found}


def test_features_that_hold_the_word_alone_have_no_selectivity() -> None:
    for result in probe(one_hot(CORPUS.words, NUM_WORDS)).values():
        assert result.selectivity is not None
        assert result.accuracy.mean > 0.95
        assert abs(result.selectivity.mean) < 0.05


def test_features_that_hold_the_source_alone_are_selective() -> None:
    for result in probe(one_hot(CORPUS.sources, 5)).values():
        assert result.selectivity is not None
        assert result.accuracy.mean > 0.95
        assert result.selectivity.mean > 0.3
        assert result.selectivity.low <= result.selectivity.mean <= result.selectivity.high
        for run in result.runs:
            assert run.control_accuracy is not None
            assert run.selectivity == pytest.approx(run.accuracy - run.control_accuracy)


def test_noise_scores_at_chance() -> None:
    corpus = make_word_corpus(words_per_source=4, per_word=50)
    noise = np.random.default_rng(0).normal(size=(len(corpus.words), 16)).astype(np.float32)
    for result in probe_layer(noise, corpus.samples, QUICK, seed=0, device="cpu"):
        error = np.sqrt(0.2 * 0.8 / len(corpus.samples.test))
        assert abs(result.accuracy.mean - 0.2) < 3.5 * error
        assert result.runs[0].description is not None
        assert result.runs[0].description.compression < 1.02


def test_the_nonlinear_probe_reads_what_the_linear_one_cannot() -> None:
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(CORPUS.words), 2))
    labels = (signs.prod(axis=1) > 0).astype(np.int64)
    samples = replace(
        CORPUS.samples, positives=several([[label] for label in labels.tolist()]), num_sources=2
    )
    options = replace(QUICK, control=False, description_length=False)
    features = signs.astype(np.float32)
    linear, nonlinear = probe_layer(features, samples, options, seed=0, device="cpu")
    assert linear.accuracy.mean < 0.7
    assert nonlinear.accuracy.mean > 0.95
    assert nonlinear.selectivity is None
    assert nonlinear.runs[0].description is None


def test_the_test_part_decides_nothing() -> None:
    features = one_hot(CORPUS.words, NUM_WORDS, noise=0.7)
    shuffled = with_other_test_labels(CORPUS.samples)
    first, second = (
        probe_layer(features, samples, QUICK, seed=0, device="cpu") for samples in (CORPUS.samples, shuffled)
    )
    for mine, theirs in zip(first, second, strict=True):
        assert mine.accuracy.mean > theirs.accuracy.mean
        for run, other in zip(mine.runs, theirs.runs, strict=True):
            np.testing.assert_array_equal(run.probabilities, other.probabilities)
            assert (run.penalty, run.passes) == (other.penalty, other.passes)
            assert run.description == other.description


def test_features_of_the_test_part_decide_nothing_either() -> None:
    features = one_hot(CORPUS.words, NUM_WORDS, noise=0.7)
    others = features.copy()
    others[CORPUS.samples.test[1:]] *= 100
    first, second = (
        probe_layer(part, CORPUS.samples, QUICK, seed=0, device="cpu") for part in (features, others)
    )
    for mine, theirs in zip(first, second, strict=True):
        for run, other in zip(mine.runs, theirs.runs, strict=True):
            np.testing.assert_allclose(run.probabilities[0], other.probabilities[0], rtol=1e-5)
            assert run.description == other.description


def test_seeds_change_the_nonlinear_probe_and_the_controls_but_not_the_linear_solution() -> None:
    found = probe(one_hot(CORPUS.words, NUM_WORDS, noise=0.7))
    one, other = found["linear"].runs
    np.testing.assert_array_equal(one.probabilities, other.probabilities)
    assert one.description != other.description
    one, other = found["nonlinear"].runs
    assert (one.probabilities != other.probabilities).any()


def test_the_same_seed_gives_the_same_numbers() -> None:
    features = one_hot(CORPUS.words, NUM_WORDS, noise=0.7)
    first, second = probe(features), probe(features)
    for name, result in first.items():
        assert result.accuracy == second[name].accuracy
        assert [run.description for run in result.runs] == [run.description for run in second[name].runs]


def test_any_of_several_sources_is_right() -> None:
    features = one_hot(CORPUS.sources, 5)
    both = several([[source, (source + 1) % 5] for source in CORPUS.sources.tolist()])
    positives = replace(CORPUS.samples, positives=both, controls=())
    options = replace(QUICK, control=False, description_length=False)
    for result in probe_layer(features, positives, options, seed=0, device="cpu"):
        assert result.accuracy.mean == 1


def test_progress_is_told_fit_by_fit() -> None:
    calls: list[None] = []
    options = replace(QUICK, control=False, description_length=False)
    features = one_hot(CORPUS.sources, 5)
    probe_layer(features, CORPUS.samples, options, seed=0, device="cpu", on_fit=lambda: calls.append(None))
    assert len(calls) == num_fits(options, 1) == 4


def test_features_that_are_no_numbers_are_refused() -> None:
    features = one_hot(CORPUS.sources, 5)
    features[3, 1] = np.inf
    with pytest.raises(InvalidInputError, match="features: expected finite numbers"):
        probe(features)
