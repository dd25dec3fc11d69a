"""Signs that a text stands in no known source: numbers that are unlike those of a known source's text."""

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, softmax

from sip_model.identifiers.members import Members, MemberScores
from sip_model.identifiers.vocabulary import VOCABULARY_MEMBERS, VOCABULARY_SIGNS, vocabulary_signs

Array = npt.NDArray[np.float64]

MIN_SPREAD = 1e-9
"""Standard deviation of a row of logits below which they are all the same."""

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


def member_signs(logits: Array, scores: MemberScores, members: Members) -> Array:
    """All signs of n texts, (n, S), in the order of :func:`sign_names`: beside those of the logits

    - peak: by member, how far its first source stands out from the others, in standard deviations of its
      logits, negated,
    - disagreement: share of members whose first source is another than the identifier's,
    - novelty: by lexical branch, the share of n-grams the training part hasn't,
    - distance: from the nearest source's centroid,
    - of words and of names, see :func:`~sip_model.identifiers.vocabulary.vocabulary_signs`.

    Args:
        logits: (n, C) of the identifier.
        scores: of its K members.
        members: that gave them.
    """
    by_member = scores.logits.numpy().astype(np.float64)  # (K, n, C)
    spread = by_member.std(axis=2)  # (K, n)
    peak = (by_member.max(axis=2) - by_member.mean(axis=2)) / np.maximum(spread, MIN_SPREAD)
    first = logits.argmax(axis=1)  # (n,)
    # a member that says the same of all sources, as of a text without names, contradicts none
    disagreement = ((by_member.argmax(axis=2) != first) & (spread > MIN_SPREAD)).mean(axis=0)
    columns = [logit_signs(logits), -peak.T, disagreement, scores.novelty, scores.distance]
    if members.vocabulary is not None and scores.vocabulary is not None:
        columns.append(vocabulary_signs(scores.vocabulary, first, members.vocabulary.usual_name))
    return np.column_stack(columns).astype(np.float64)


def sign_names(members: Members) -> tuple[str, ...]:
    """Names of the S signs."""
    has_distance = members.backbone is not None and members.backbone.centroids is not None
    vocabulary = () if members.vocabulary is None else VOCABULARY_MEMBERS
    return (
        *LOGIT_SIGNS,
        *(f"peak_{name}" for name in members.names),
        "disagreement",
        *(f"novelty_{branch.ngrams.spec.name}" for branch in members.lexical),
        *(("distance",) if has_distance else ()),
        *(f"{name}_{sign}" for name in vocabulary for sign in VOCABULARY_SIGNS),
    )
