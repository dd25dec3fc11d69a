"""How well texts of no known source are told from others, and what holding back answers gains."""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

DETECTED = 0.95

Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def score_detection(unknown: Array, is_unknown: BoolArray) -> dict[str, float]:
    """The unknown probability as a detector, over texts of both kinds.

    Args:
        unknown: (n,) probability that no known source is right.
        is_unknown: (n,) whether that is so; both cases occur.

    Returns:
        auroc_unknown: area under the ROC curve.
        aupr_unknown: average precision; depends on how many of the texts are unknown.
        fpr95_unknown: share of known texts taken for unknown where 95 % of the unknown ones are found.
    """
    false_rates, true_rates, _ = roc_curve(is_unknown, unknown, drop_intermediate=False)
    return {
        "auroc_unknown": float(roc_auc_score(is_unknown, unknown)),
        "aupr_unknown": float(average_precision_score(is_unknown, unknown)),
        "fpr95_unknown": float(false_rates[np.argmax(true_rates >= DETECTED)]),
    }


def score_decisions(right: BoolArray, is_unknown: BoolArray, known: BoolArray) -> dict[str, float]:
    """The decisions at the operating point: a text is answered with its first source, or held to be unknown.

    Args:
        right: (n,) whether the first source is a right one; of an unknown text it never is.
        is_unknown: (n,) whether no known source is right.
        known: (n,) whether the text was answered.

    Returns:
        false_rejections: share of the known texts that wasn't answered; NaN where there are none.
        false_acceptances: share of the unknown texts that was; NaN where there are none.
        c_at_1: c@1 (Peñas and Rodrigo 2011), accuracy where what isn't answered counts as right as often as
            what is.
        f05u: F0.5u (Bevendorff et al. 2020), F0.5 of the answers, with a known text that isn't answered
            counted as missed.
    """
    num_texts = len(right)
    answered_right = int((known & right).sum())
    answered_wrong = int((known & ~right).sum())
    missed = int((~known & ~is_unknown).sum())
    f05u = 1.25 * answered_right / max(1.25 * answered_right + 0.25 * missed + answered_wrong, 1e-12)
    with np.errstate(invalid="ignore"):
        return {
            "false_rejections": float(np.divide(missed, (~is_unknown).sum())),
            "false_acceptances": float(np.divide((known & is_unknown).sum(), is_unknown.sum())),
            "c_at_1": answered_right * (1 + float((~known).mean())) / num_texts,
            "f05u": f05u,
        }


def score_selection(confidence: Array, right: BoolArray) -> dict[str, float]:
    """Answering only the texts whose first source is surest, over all shares of texts answered.

    Args:
        confidence: (n,) probability of the first source.
        right: (n,) whether it is a right one.

    Returns:
        aurc: area under the risk-coverage curve, risk being the share wrong among those answered (Geifman and
            El-Yaniv 2017).
        augrc: likewise with the share wrong and answered among all (Traub et al. 2024).
    """
    order = np.argsort(-confidence, kind="stable")
    errors = np.cumsum(~right[order])  # (n,)
    answered = np.arange(1, len(errors) + 1)
    return {"aurc": float((errors / answered).mean()), "augrc": float(errors.mean() / len(errors))}
