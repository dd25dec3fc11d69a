"""Scores of sets of sources and of rankings, beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, hamming_loss, ndcg_score

from sip_model.analysis.label_sets import label_sets, score_label_sets, score_ranking
from sip_model.analysis.scores import ranked

GENERATOR = np.random.default_rng(0)
RIGHT = GENERATOR.random((60, 9)) < 0.25
RIGHT[np.arange(60), GENERATOR.integers(9, size=60)] = True
PROBABILITIES = GENERATOR.dirichlet(np.ones(9), 60) + 0.1 * RIGHT
CHOSEN = PROBABILITIES > 0.15


def test_sets_are_scored_as_scikit_learn_does() -> None:
    found = score_label_sets(label_sets(CHOSEN), label_sets(RIGHT), 9)
    assert found["label_micro_f1"] == pytest.approx(f1_score(RIGHT, CHOSEN, average="micro"))
    assert found["label_macro_f1"] == pytest.approx(f1_score(RIGHT, CHOSEN, average="macro"))
    assert found["subset_accuracy"] == pytest.approx(accuracy_score(RIGHT, CHOSEN))
    assert found["hamming_loss"] == pytest.approx(hamming_loss(RIGHT, CHOSEN))
    assert found["label_cardinality"] == pytest.approx(RIGHT.sum(axis=1).mean())
    assert found["label_cardinality_predicted"] == pytest.approx(CHOSEN.sum(axis=1).mean())


def test_sources_that_are_right_for_no_sample_do_not_count_in_the_macro_mean() -> None:
    found = score_label_sets(
        label_sets(np.eye(3, dtype=bool)[[0, 1]]), label_sets(np.eye(3, dtype=bool)[[0, 0]]), 3
    )
    assert found["label_macro_f1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_rankings_are_scored_as_scikit_learn_does(k: int) -> None:
    best = ranked(PROBABILITIES, 5)
    found = score_ranking(best, label_sets(RIGHT))
    assert found[f"ndcg@{k}"] == pytest.approx(ndcg_score(RIGHT, PROBABILITIES, k=k))
    hits = np.take_along_axis(RIGHT, best[:, :k], axis=1)
    assert found[f"precision@{k}"] == pytest.approx(hits.sum() / (60 * k))


def test_a_ranking_of_fewer_sources_than_ranks_can_be_scored() -> None:
    found = score_ranking(np.array([[1, 0]]), label_sets(np.array([[True, True]])))
    assert found == pytest.approx(
        {"precision@1": 1, "ndcg@1": 1, "precision@3": 2 / 3, "ndcg@3": 1, "precision@5": 0.4, "ndcg@5": 1}
    )
