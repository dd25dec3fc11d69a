"""A trained token-level identifier: one answer per token, and their mean for a passage."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sip_model.identifiers.answers import Judgement, Scored
from sip_model.identifiers.branches import BackboneBranch
from sip_model.identifiers.learners import EVALUATION_ROWS
from sip_model.identifiers.positives import IntArray
from sip_model.identifiers.signs import logit_signs
from sip_model.identifiers.token_rows import TokenRows

Array = npt.NDArray[np.float64]


class TokenScores(NamedTuple):
    """Logits of the rows of some whole passages."""

    rows: IntArray
    """(m,) ascending."""
    logits: npt.NDArray[np.float32]
    """One-versus-all, (m, C): a row's sigmoids are its sources' own probabilities."""


@dataclass(frozen=True, slots=True, eq=False)
class TokenIdentifier:
    """Maps n token states in a row to logits over sources."""

    sources: tuple[str, ...]
    """C names, in the order of the logits."""
    ngram: int
    """n"""
    branch: BackboneBranch
    """Its features are n states of D numbers side by side."""
    judgement: Judgement
    """Of passages."""

    def scored(self, logits: Array) -> Scored:
        """Logits of passages (p, C) with the signs of unknown they give; it remembers no quotations."""
        return Scored(logits, logit_signs(logits), np.zeros((len(logits), 0)))

    def token_scores(self, rows: TokenRows, wanted: IntArray) -> Iterator[TokenScores]:
        """Logits of rows, some passages at a time; a row's logits don't depend on the others.

        Args:
            rows: over the states of passages.
            wanted: rows, ascending.
        """
        device = self.branch.whitening.mean.device
        for part in _blocks(rows, wanted):
            features = rows.read(part).to(device).float()  # (m, n · D)
            yield TokenScores(part, self.branch(features).cpu().numpy())

    def passage_logits(self, rows: TokenRows, passages: IntArray) -> Array:
        """Logits of passages: the mean of their rows' log-odds, (p, C).

        Args:
            rows: over the states of passages.
            passages: p numbers, ascending.
        """
        return self.pooled(rows, passages, self.token_scores(rows, rows.of(passages)))

    def pooled(self, rows: TokenRows, passages: IntArray, scores: Iterator[TokenScores]) -> Array:
        """The means over what `scores` holds of each passage, (p, C)."""
        # A passage without a token tells nothing: an untrained head's answer, every source alike.
        base = self.branch.loss.output_bias(len(self.sources))
        logits = np.full((len(passages), len(self.sources)), base)
        for part in scores:
            numbers, firsts, counts = np.unique(
                rows.passages(part.rows), return_index=True, return_counts=True
            )
            sums = np.add.reduceat(part.logits.astype(np.float64), firsts, axis=0)  # (q, C)
            logits[np.searchsorted(passages, numbers)] = sums / counts[:, None]
        return logits


def _blocks(rows: TokenRows, wanted: IntArray) -> Iterator[IntArray]:
    """The rows wanted in blocks of whole passages, of `EVALUATION_ROWS` and the rest of one passage."""
    edges = np.flatnonzero(np.diff(rows.passages(wanted))) + 1  # where another passage begins
    start = 0
    while start < len(wanted):
        place = np.searchsorted(edges, start + EVALUATION_ROWS)
        end = int(edges[place]) if place < len(edges) else len(wanted)
        yield wanted[start:end]
        start = end
