"""Which texts share a forward pass, so that none of them notices the others.

A pass holds texts of one padded length, and that length follows from the text alone. So a text meets the same
attention shape and mask whether it comes alone or among thousands; what is left is the rounding of bfloat16,
where a kernel may add up few rows in another order than many.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Padded lengths are multiples of this: few enough of them for full batches, few padding tokens.
LENGTH_STEP = 8

IntArray = npt.NDArray[np.int64]


class Batch(NamedTuple):
    """The texts of one forward pass."""

    rows: IntArray
    """Their row numbers, (B,)."""
    length: int
    """Their padded length T."""


def padded_lengths(lengths: IntArray, max_tokens: int) -> IntArray:
    """Tokens that texts of these lengths take up in a batch: the next multiple of `LENGTH_STEP`, at most
    `max_tokens`, the backbone's own bound."""
    return np.minimum(-(-lengths // LENGTH_STEP) * LENGTH_STEP, max_tokens)


def batch_groups(padded: IntArray, lengths: IntArray, *, is_causal: bool) -> IntArray:
    """Numbers that are equal for texts which may share a pass, (n,), larger for longer ones.

    An encoder's texts that need no padding stand apart: they are read without an attention mask, which is
    another computation.

    Args:
        padded: what :func:`padded_lengths` says of `lengths`, (n,).
        lengths: tokens of each text, (n,).
        is_causal: the backbone's tokens don't see the padding after them.
    """
    groups: IntArray = 2 * padded + ((padded == lengths) & (not is_causal))
    return groups


def plan_batches(lengths: IntArray, max_tokens: int, batch_tokens: int, *, is_causal: bool) -> list[Batch]:
    """Deal texts to forward passes.

    Args:
        lengths: tokens of each text, (n,).
        max_tokens: tokens the backbone can read.
        batch_tokens: tokens of a pass, padding included; one longer text is a pass.
        is_causal: the backbone's tokens don't see the padding after them.

    Returns:
        The passes, long texts first, so that a batch that does not fit into memory fails at once.
    """
    batches: list[Batch] = []
    padded = padded_lengths(lengths, max_tokens)
    group = batch_groups(padded, lengths, is_causal=is_causal)
    order = np.argsort(-group, kind="stable")
    ends = np.flatnonzero(np.diff(group[order])) + 1
    for rows in np.split(order, ends):
        if len(rows) == 0:
            continue
        length = int(padded[rows[0]])
        size = max(1, batch_tokens // length)
        for first in range(0, len(rows), size):
            batches.append(Batch(rows[first : first + size], length))
    return batches
