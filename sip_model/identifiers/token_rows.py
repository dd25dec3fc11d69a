"""The samples of a token-level identifier: n token states in a row, all of one passage.

A row is named by the number of its last token, so what it covers and whose label it bears follow from the
row itself and can't come apart.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sip_model.backbones.state_store import StateStore
from sip_model.backbones.token_states import BitArray
from sip_model.identifiers.positives import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class TokenRows:
    """Rows over the token states of P passages, all tokens numbered through.

    A passage of T tokens has T − n + 1 rows of n tokens. One of fewer than n tokens has none to learn from;
    so that it can be answered, its last token still is a row, in which the first token is repeated.
    """

    store: StateStore
    ngram: int
    """n, token states per row."""

    @property
    def num_features(self) -> int:
        """n · D, the width of a row."""
        return self.ngram * self.store.hidden_size

    def of(self, passages: IntArray) -> IntArray:
        """The rows of some passages, ascending: those of n tokens, and one for each that is shorter.

        Args:
            passages: numbers, ascending.
        """
        starts, ends = self.store.starts[passages], self.store.starts[passages + 1]
        firsts = np.minimum(
            starts + self.ngram - 1, np.maximum(ends - 1, starts)
        )  # (p,) each one's first row
        counts = ends - firsts
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.asarray(np.repeat(firsts, counts) + within)

    def passages(self, rows: IntArray) -> IntArray:
        """The passage of each row, (m,)."""
        return np.asarray(np.searchsorted(self.store.starts, rows, side="right") - 1)

    def are_whole(self, rows: IntArray) -> npt.NDArray[np.bool_]:
        """Whether a row has n tokens of its own, (m,)."""
        return np.asarray(rows - self.store.starts[self.passages(rows)] >= self.ngram - 1)

    def read(self, rows: IntArray, out: BitArray | None = None) -> torch.Tensor:
        """States of some rows side by side, first token first, bfloat16, (m, n · D).

        Args:
            rows: ascending.
            out: memory for at least m · n · D numbers to use again.
        """
        starts = self.store.starts[self.passages(rows)]  # (m,)
        tokens = rows[:, None] - np.arange(self.ngram - 1, -1, -1)  # (m, n)
        return self.store.read(np.maximum(tokens, starts[:, None]), out)


def deal_positions(rows: IntArray, shares: tuple[float, ...], seed: int) -> npt.NDArray[np.uint8]:
    """The part of every row when random positions of the same passages are learned from and tested on.

    The published protocol, and optimistic: a row's neighbours share its passage's past, and for n > 1 some of
    its very tokens.

    Args:
        rows: m rows.
        shares: of the parts, summing to 1.
        seed: draws the positions.

    Returns:
        Numbers of parts, (m,).
    """
    edges = np.rint(np.cumsum(shares) * len(rows)).astype(np.int64)[:-1]
    order = np.random.default_rng(seed).permutation(len(rows))
    parts = np.empty(len(rows), np.uint8)
    parts[order] = np.searchsorted(edges, np.arange(len(rows)), side="right")
    return parts
