"""Scores against scikit-learn's, and against counts by hand where a sample has several sources."""

import numpy as np
import pytest
from sklearn import metrics

from sip_model.analysis.reliability import expected_calibration_error
from sip_model.analysis.scores import (
    Array,
    Outcomes,
    count_confusions,
    given_known,
    ranked,
    score_outcomes,
    score_sources,
)
from sip_model.identifiers.positives import IntArray, Positives

NUM_SOURCES = 9


def single_label(num_samples: int = 400) -> tuple[Array, IntArray]:
    """Distributions (n, C) that lean to the right source, and that source; source 8 is never right."""
    generator = np.random.default_rng(0)
    labels = generator.integers(NUM_SOURCES - 1, size=num_samples)
    logits = generator.normal(size=(num_samples, NUM_SOURCES))
    logits[np.arange(num_samples), labels] += 1
    masses = np.exp(logits)
    return masses / masses.sum(axis=1, keepdims=True), labels


def outcomes_of(probabilities: Array, labels: IntArray) -> Outcomes:
    return Outcomes.of(probabilities, Positives.from_lists([np.array([label]) for label in labels]))


def test_scores_of_single_labels_are_scikit_learns() -> None:
    probabilities, labels = single_label()
    predicted, every = probabilities.argmax(axis=1), np.arange(NUM_SOURCES)
    found = score_outcomes(outcomes_of(probabilities, labels), NUM_SOURCES)
    right = predicted == labels
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert found["top5_accuracy"] == pytest.approx(
        metrics.top_k_accuracy_score(labels, probabilities, k=5, labels=every)
    )
    assert found["macro_f1"] == pytest.approx(
        metrics.f1_score(labels, predicted, labels=np.unique(labels), average="macro")
    )
    assert found["nll"] == pytest.approx(metrics.log_loss(labels, probabilities, labels=every))
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(right, probabilities.max(axis=1)))


def test_the_table_of_sources_is_scikit_learns() -> None:
    probabilities, labels = single_label()
    predicted = probabilities.argmax(axis=1)
    sources = tuple(f"source {number}" for number in range(NUM_SOURCES))
    outcomes = outcomes_of(probabilities, labels)
    table = score_sources(outcomes.best[:, 0], outcomes.positives, sources)
    precision, recall, f1, samples = metrics.precision_recall_fscore_support(
        labels, predicted, labels=np.arange(NUM_SOURCES), zero_division=0
    )
    confusion = metrics.confusion_matrix(labels, predicted, labels=np.arange(NUM_SOURCES))
    assert [row.source for row in table] == list(sources[:-1])
    for number, row in enumerate(table):
        assert (row.samples, row.predicted) == (samples[number], confusion[:, number].sum())
        assert (row.precision, row.recall, row.f1) == pytest.approx(
            (precision[number], recall[number], f1[number])
        )
        others = np.delete(confusion[number], number)
        assert row.confused_with is not None
        assert confusion[number, sources.index(row.confused_with)] == others.max()
    mistakes = count_confusions(outcomes.best[:, 0], outcomes.positives, sources)
    counted = {(pair.source, pair.predicted): pair.samples for pair in mistakes}
    wrong = [(right, first) for right, first in np.argwhere(confusion).tolist() if right != first]
    assert counted == {(sources[right], sources[first]): confusion[right, first] for right, first in wrong}
    assert [pair.samples for pair in mistakes] == sorted(counted.values(), reverse=True)
    assert count_confusions(outcomes.best[:, 0], outcomes.positives, sources, 2) == mistakes[:2]


def test_any_of_several_right_sources_counts_as_right() -> None:
    best = np.array([[0, 1], [1, 0], [2, 0], [2, 1]])
    positives = Positives.from_lists([np.array(row) for row in ([0, 1], [0, 2], [2], [0, 1])])
    probabilities = np.full((4, 3), 0.1)
    np.put_along_axis(probabilities, best[:, :1], 0.5, axis=1)
    outcomes = Outcomes.of(probabilities, positives)
    found = score_outcomes(outcomes, 3)
    assert found["accuracy"] == 0.5
    assert found["top5_accuracy"] == 1
    assert outcomes.mass.tolist() == pytest.approx([0.6, 0.2, 0.5, 0.2])
    first, second, third = score_sources(outcomes.best[:, 0], positives, ("a", "b", "c"))
    assert (first.samples, first.predicted, first.recall, first.precision) == (3, 1, 1 / 3, 1)
    assert (second.samples, second.predicted, second.f1) == (1, 1, 0)
    assert (third.samples, third.predicted, third.confused_with) == (2, 2, "b")


def test_outcomes_joined_from_pieces_score_like_the_whole() -> None:
    probabilities, labels = single_label()
    whole = outcomes_of(probabilities, labels)
    pieces = [outcomes_of(probabilities[rows], labels[rows]) for rows in np.array_split(np.arange(400), 7)]
    assert score_outcomes(Outcomes.joined(pieces), NUM_SOURCES) == pytest.approx(
        score_outcomes(whole, NUM_SOURCES)
    )


def test_what_is_said_of_known_sources_sums_to_one_whatever_else_is_likely() -> None:
    found = given_known(np.array([[0.3, 0.1], [0.0, 0.0]]), np.array([0.6, 1.0]))
    assert found.tolist() == [pytest.approx([0.75, 0.25]), [0, 0]]


def test_the_error_of_the_whole_distribution_counts_every_source() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    positives = Positives.from_lists([np.array([0]), np.array([1, 2])])
    target = np.array([[1, 0, 0], [0, 1, 1]])
    found = score_outcomes(Outcomes.of(probabilities, positives), 3)["brier_all"]
    assert found == pytest.approx(((probabilities - target) ** 2).sum(axis=1).mean())


def test_fewer_than_five_sources_are_ranked_whole_and_ties_go_to_the_first() -> None:
    assert ranked(np.array([[0.2, 0.4, 0.4], [0.5, 0.2, 0.3]]), 5).tolist() == [[1, 2, 0], [0, 2, 1]]


def test_the_ece_of_a_perfectly_calibrated_sample_is_near_its_known_null() -> None:
    generator = np.random.default_rng(0)
    found = []
    for _ in range(40):
        confidence = generator.uniform(size=1600)
        found.append(expected_calibration_error(confidence, generator.random(1600) < confidence))
    assert np.mean(found) == pytest.approx(0.032, abs=0.004)


def test_the_ece_of_constant_overconfidence_is_that_overconfidence() -> None:
    right = np.arange(3000) % 2 == 0
    assert expected_calibration_error(np.full(3000, 0.8), right) == pytest.approx(0.3)
    assert expected_calibration_error(np.array([0.9]), np.array([True])) == pytest.approx(0.1)
