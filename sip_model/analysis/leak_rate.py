"""How much of the test part the training part gives away."""

import numpy as np

from sip_model.corpora.duplicates import near_duplicate_clusters
from sip_model.corpora.samples import Samples


def leak_rate(samples: Samples) -> float:
    """Share of test chunks with a near-duplicate, or a chunk right beside them in their document, in the
    training part.

    Such a chunk can be told by its source's very words and names of that page rather than by its manner: a
    score above what a leakless split gives is no merit. Near-duplicates are those of
    :func:`sip_model.corpora.duplicates.near_duplicate_clusters`.

    Args:
        samples: with at least one chunk in the test part.
    """
    train, test = samples.part("train"), samples.part("test")
    in_train = {(samples.documents[row], int(samples.chunks[row])) for row in train.tolist()}
    is_beside = np.array(
        [
            any((samples.documents[row], int(samples.chunks[row]) + step) in in_train for step in (-1, 1))
            for row in test.tolist()
        ],
        dtype=np.bool_,
    )
    rows = np.concatenate([train, test])
    clusters = near_duplicate_clusters([samples.texts[row] for row in rows.tolist()])
    is_near = np.isin(clusters[len(train) :], clusters[: len(train)])
    return float((is_beside | is_near).mean())
