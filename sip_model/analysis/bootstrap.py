"""Paired bootstrap by document: is one identifier better than another on the same samples?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Counts of documents held at a time: bounds the memory of many draws over many documents.
BLOCK_COUNTS = 2**23


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of a − b over samples, with a percentile interval over resampled documents."""

    mean: float
    low: float
    high: float


def paired_bootstrap(
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    documents: npt.NDArray[np.str_],
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> PairedDifference:
    """Resample whole documents, since the chunks of one are no independent samples.

    Args:
        first: (n,) score per sample of a, for example 1 where right.
        second: (n,) of b on the same samples.
        documents: (n,) which document each sample was cut from; over several seeds the document stays one.
        resamples: bootstrap draws.
        level: of the interval.
        seed: of the draws.
    """
    _, numbers = np.unique(documents, return_inverse=True)
    sums = np.bincount(numbers, weights=first - second)  # (d,)
    sizes = np.bincount(numbers)
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    block = max(1, BLOCK_COUNTS // len(sums))  # draws at a time
    for start in range(0, resamples, block):
        part = means[start : start + block]
        draws = generator.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), len(part))  # (block, d)
        part[:] = (draws @ sums) / (draws @ sizes)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return PairedDifference(float(sums.sum() / sizes.sum()), float(low), float(high))
