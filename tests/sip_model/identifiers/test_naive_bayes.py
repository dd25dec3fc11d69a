"""Naive Bayes over n-grams."""

import numpy as np
from scipy import sparse
from sklearn.naive_bayes import ComplementNB

from sip_model.identifiers.naive_bayes import SMOOTHING, naive_bayes_weights
from sip_model.identifiers.positives import Positives
from tests.sip_model.identifiers.clusters import one_each

GENERATOR = np.random.default_rng(0)
ROWS = sparse.csr_matrix(GENERATOR.random((60, 30)) * (GENERATOR.random((60, 30)) < 0.3), dtype=np.float32)
LABELS = np.arange(60) % 5


def test_it_says_what_scikit_learns_complement_naive_bayes_says() -> None:
    theirs = ComplementNB(alpha=SMOOTHING).fit(ROWS, LABELS)
    weights = naive_bayes_weights(ROWS, one_each(LABELS), 5)
    assert weights.shape == (30, 5)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(ROWS @ weights, theirs.predict_joint_log_proba(ROWS), rtol=1e-5)


def test_a_text_of_two_sources_counts_for_both() -> None:
    twice = Positives.from_lists([np.array([0, 1]) if label == 0 else np.array([label]) for label in LABELS])
    found = naive_bayes_weights(ROWS, twice, 5)
    again = sparse.vstack([ROWS, ROWS[LABELS == 0]]).tocsr()  # the same texts once for each
    labels = np.concatenate([LABELS, np.ones(12, dtype=np.int64)])
    np.testing.assert_allclose(found, naive_bayes_weights(again, one_each(labels), 5), rtol=1e-5)


def test_a_source_without_texts_has_finite_weights() -> None:
    assert np.isfinite(naive_bayes_weights(ROWS, one_each(LABELS), 7)).all()
