"""Scores where texts have several right sources: of sets of sources, and of rankings with several hits."""

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.positives import Positives

RANKS = (1, 3, 5)

IntArray = npt.NDArray[np.int64]


def label_sets(is_in: npt.NDArray[np.bool_]) -> Positives:
    """The sets of n texts, none or several sources each, from whether each source is in, (n, C)."""
    indptr = np.concatenate([[0], np.cumsum(is_in.sum(axis=1))]).astype(np.int64)
    return Positives(indptr, np.nonzero(is_in)[1].astype(np.int64))


def score_label_sets(predicted: Positives, right: Positives, num_sources: int) -> dict[str, float]:
    """Scores of sets of sources (Tsoumakas and Katakis 2007).

    Args:
        predicted: the sets of n samples; some may be empty.
        right: the sources of the n samples.
        num_sources: C.

    Returns:
        label_cardinality: mean number of right sources.
        label_cardinality_predicted: mean size of the sets.
        label_micro_f1: F1 over all pairs of sample and source.
        label_macro_f1: mean F1 over the sources that are right for some sample.
        subset_accuracy: share of samples whose set is exactly the right one.
        hamming_loss: share of pairs of sample and source that are wrong.
    """
    chosen, wanted = (_pairs(each, num_sources) for each in (predicted, right))
    hits = np.intersect1d(chosen, wanted, assume_unique=True)
    num_hits, num_chosen, num_wanted = (
        np.bincount(pairs % num_sources, minlength=num_sources) for pairs in (hits, chosen, wanted)
    )
    f1 = 2 * num_hits / np.maximum(num_chosen + num_wanted, 1)
    hits_of_each = np.bincount(hits // num_sources, minlength=len(right))
    is_exact = (hits_of_each == predicted.counts) & (hits_of_each == right.counts)
    return {
        "label_cardinality": float(right.counts.mean()),
        "label_cardinality_predicted": float(predicted.counts.mean()),
        "label_micro_f1": 2 * len(hits) / max(1, len(chosen) + len(wanted)),
        "label_macro_f1": float(f1[num_wanted > 0].mean()),
        "subset_accuracy": float(is_exact.mean()),
        "hamming_loss": (len(chosen) + len(wanted) - 2 * len(hits)) / (len(right) * num_sources),
    }


def score_ranking(best: IntArray, right: Positives) -> dict[str, float]:
    """Precision and normalised discounted cumulative gain of the first k sources (Järvelin and Kekäläinen
    2002), k = 1, 3, 5.

    Args:
        best: (n, 5) the most probable sources, best first; fewer columns where there are fewer sources.
        right: the sources of the n samples, one or more each.

    Returns:
        precision@k: right ones among the first k, over k.
        ndcg@k: gains of 1 / log2(1 + rank), over those of the best order there is.
    """
    is_right = right.mark(best)  # (n, 5)
    gains = 1 / np.log2(2 + np.arange(max(RANKS)))
    found: dict[str, float] = {}
    for k in RANKS:
        hits = is_right[:, :k]
        ideal = np.cumsum(gains[:k])[np.minimum(right.counts, k) - 1]
        found[f"precision@{k}"] = float(hits.sum(axis=1).mean() / k)
        found[f"ndcg@{k}"] = float((hits @ gains[: hits.shape[1]] / ideal).mean())
    return found


def _pairs(sets: Positives, num_sources: int) -> IntArray:
    """A number for each pair of sample and source."""
    rows, sources = sets.pairs(np.arange(len(sets)))
    return np.asarray(rows * num_sources + sources, dtype=np.int64)
