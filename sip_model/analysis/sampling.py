"""A sample of manageable size in which every group still has a say."""

import numpy as np

from sip_model.analysis.group_distances import IntArray

MIN_PER_GROUP = 2
"""A silhouette needs a second member."""
FEW_PER_GROUP = 10
"""Members drawn of a group at most where there are too many groups for all to take part."""


def stratified_sample(groups: IntArray, max_samples: int, seed: int) -> IntArray:
    """Row numbers of at most `max_samples` of n samples, ascending; all of them where n is no larger.

    Every group gives two samples (or the one it has) and of the rest its share. Where even that would be too
    many, groups of two or more are drawn at random, and give ten at most.

    Args:
        groups: (n,) the group of each sample, numbered from 0.
        max_samples: at most so many.
        seed: of the draw.
    """
    if len(groups) <= max_samples:
        return np.arange(len(groups))
    generator = np.random.default_rng(seed)
    counts = np.bincount(groups)  # (G,)
    wanted = np.minimum(counts, MIN_PER_GROUP)
    if wanted.sum() <= max_samples:
        wanted += _dealt(max_samples - int(wanted.sum()), counts - wanted)
    else:
        drawn = generator.permutation(np.flatnonzero(counts >= MIN_PER_GROUP))
        few = np.minimum(counts[drawn], FEW_PER_GROUP)
        wanted = np.zeros_like(counts)
        wanted[drawn] = np.where(np.cumsum(few) <= max_samples, few, 0)
    order = generator.permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]  # by group, at random within each
    ranks = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[ranks < wanted[groups[order]]])


def _dealt(total: int, sizes: IntArray) -> IntArray:
    """`total` dealt in proportion to sizes (G,), never more than a size; the largest remainders round up."""
    shares, remainders = np.divmod(total * sizes, int(sizes.sum()))
    left = total - int(shares.sum())
    shares[np.argsort(-remainders, kind="stable")[:left]] += 1
    return np.asarray(shares)
