"""The lexical baseline beside every result: character n-gram TF-IDF and a linear SVM, a fixed recipe."""

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from sip_model.identifiers.positives import IntArray, Positives
from sip_model.kept import NOT_KEPT, KeptResults, texts_sha256


def lexical_baseline(
    train_texts: Sequence[str],
    train_positives: Positives,
    test_texts: Sequence[str],
    seed: int,
    kept: KeptResults = NOT_KEPT,
) -> IntArray:
    """Source numbers predicted for the test texts, (m,).

    Args:
        train_texts: n texts of the training part.
        train_positives: of the n texts; one of several sources is learned once for each.
        test_texts: m texts.
        seed: orders the SVM's coordinate descent.
        kept: where the predictions are found again: experiments on other backbones ask for the same.
    """
    address = [
        version("scikit-learn"),
        texts_sha256(train_texts),
        train_positives.indptr.tolist(),
        train_positives.indices.tolist(),
        texts_sha256(test_texts),
        seed,
    ]
    return kept.numbers(
        "baseline", address, lambda: _predicted(train_texts, train_positives, test_texts, seed)
    )


def _predicted(
    train_texts: Sequence[str], train_positives: Positives, test_texts: Sequence[str], seed: int
) -> IntArray:
    rows, sources = train_positives.pairs(np.arange(len(train_positives)))
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True, max_features=300_000
    )
    features = vectorizer.fit_transform(train_texts)
    classifier = LinearSVC(C=1, random_state=seed).fit(features[rows], sources)
    return np.asarray(classifier.predict(vectorizer.transform(test_texts)), dtype=np.int64)
