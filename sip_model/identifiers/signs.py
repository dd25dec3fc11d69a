"""Signs that a text stands in no known source: numbers that are unlike those of a known source's text."""

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, softmax

from sip_model.identifiers.members import Members, MemberScores

Array = npt.NDArray[np.float64]

LOGIT_SIGNS = ("energy", "highest_logit", "margin", "uncertainty")


def logit_signs(logits: Array) -> Array:
    """Signs that one-versus-all logits (n, C) alone give, (n, 4), in the order of `LOGIT_SIGNS`.

    - energy: ``−log Σ_c e^{z_c}`` (Liu et al. 2020), the log-odds of "none" under the link of one-versus-all
      logits.
    - highest_logit: that of the first source, negated: the log-odds of the maximum sigmoid.
    - margin: between the first and the second source, negated.
    - uncertainty: what the softmax leaves to all but the first source.
    """
    best = np.sort(logits, axis=1)[:, -2:]  # (n, 2)
    return np.column_stack(
        [
            -logsumexp(logits, axis=1),
            -best[:, -1],
            best[:, 0] - best[:, -1],
            1 - softmax(logits, axis=1).max(axis=1),
        ]
    )


def member_signs(logits: Array, scores: MemberScores) -> Array:
    """All signs of n texts, (n, S), in the order of :func:`sign_names`: beside those of the logits

    - peak: by member, how far its first source stands out from the others, in standard deviations of its
      logits, negated,
    - disagreement: share of members whose first source is another than the identifier's,
    - novelty: by lexical branch, the share of n-grams the training part hasn't,
    - distance: from the nearest source's centroid.

    Args:
        logits: (n, C) of the identifier.
        scores: of its K members.
    """
    members = scores.logits.numpy().astype(np.float64)  # (K, n, C)
    spread = np.maximum(members.std(axis=2), 1e-9)  # (K, n)
    peak = (members.max(axis=2) - members.mean(axis=2)) / spread
    first = logits.argmax(axis=1)  # (n,)
    disagreement = (members.argmax(axis=2) != first).mean(axis=0)
    return np.column_stack(
        [logit_signs(logits), -peak.T, disagreement, scores.novelty, scores.distance]
    ).astype(np.float64)


def sign_names(members: Members) -> tuple[str, ...]:
    """Names of the S signs."""
    has_distance = members.backbone is not None and members.backbone.centroids is not None
    return (
        *LOGIT_SIGNS,
        *(f"peak_{name}" for name in members.names),
        "disagreement",
        *(f"novelty_{branch.ngrams.spec.name}" for branch in members.lexical),
        *(("distance",) if has_distance else ()),
    )
