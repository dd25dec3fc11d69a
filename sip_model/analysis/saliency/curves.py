"""Is an explanation faithful? Deletion and insertion curves (Petsiuk et al. 2018).

Deletion takes the tokens of a text out, the most important first: the first source's log-odds should fall
fast. Insertion begins with none and puts the most important back first: they should rise fast.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SHARES: tuple[float, ...] = tuple(step / 5 for step in range(6))
"""Of the tokens, at which a curve is measured."""


def ranking(weights: Array) -> IntArray:
    """Numbers of the tokens, the largest weight first, (T,); of equal ones the first in the text."""
    return np.argsort(-weights, kind="stable").astype(np.int64)


def without(text: str, offsets: IntArray, gone: IntArray) -> str:
    """A text whose characters under some tokens are taken out; what no token covers stays.

    Args:
        text: the text.
        offsets: (T, 2) of all tokens, in code points.
        gone: numbers of the tokens taken out.
    """
    kept = np.ones(len(text), dtype=np.bool_)
    for start, end in offsets[gone].tolist():
        kept[start:end] = False
    return "".join(character for character, is_kept in zip(text, kept, strict=True) if is_kept)


def deletion_texts(
    text: str, offsets: IntArray, order: IntArray, shares: Sequence[float] = SHARES
) -> list[str]:
    """The text with each share of its tokens taken out, the first of the order first."""
    return [without(text, offsets, order[: round(share * len(order))]) for share in shares]


def insertion_texts(
    text: str, offsets: IntArray, order: IntArray, shares: Sequence[float] = SHARES
) -> list[str]:
    """The text with each share of its tokens and no others, the first of the order first."""
    return [without(text, offsets, order[round(share * len(order)) :]) for share in shares]


def area(values: Array, shares: Sequence[float] = SHARES) -> Array:
    """Area under curves over the share of tokens, (…, S) -> (…): their mean height.

    Args:
        values: at each share.
        shares: (S,) rising from 0 to 1.
    """
    return np.asarray(np.trapezoid(values, shares, axis=-1))


def log_odds(logits: Array, sources: IntArray) -> Array:
    """Log-odds of one source against all others under a softmax, ``z_c − log Σ_{k≠c} e^{z_k}``, (n,).

    Args:
        logits: (n, C), C at least 2.
        sources: (n,) c of each row.
    """
    rows = np.arange(len(logits))
    others = logits.copy()
    own = others[rows, sources]
    others[rows, sources] = -np.inf
    highest = others.max(axis=1)
    return np.asarray(own - highest - np.log(np.exp(others - highest[:, None]).sum(axis=1)))


def log_odds_slope(logits: Array, source: int) -> Array:
    """Gradient of :func:`log_odds` by the logits of one row, (C,) -> (C,): adds up to 0."""
    others = logits.astype(np.float64).copy()
    others[source] = -np.inf
    weights = np.exp(others - others.max())
    slope = -weights / weights.sum()
    slope[source] = 1.0
    return np.asarray(slope)
