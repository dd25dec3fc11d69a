"""Fit how evidence adds up along a text, on texts put together from passages whose sources are known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sip_model.identifiers.smoothing import IntArray, Smoothing, UnitEvidence

PENALTIES = tuple(2.0 ** (step / 2) for step in range(-2, 15))
"""Tried, as multiples of how far a unit's first source usually stands above the average of the sources."""
SCALES = tuple(2.0 ** (step / 2) for step in range(-12, 5))
SMALLEST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class LabelledUnits:
    """A text whose sources are known."""

    evidence: UnitEvidence
    sources: IntArray
    """(m,) the right one of each unit."""


def fit_smoothing(texts: Sequence[LabelledUnits], tolerance: int) -> Smoothing:
    """The penalty under which the most texts fall into just the right stretches, of equally good ones the
    middle one; then the scale under which the right sources are most likely.

    Args:
        texts: at least one, some of them of a single source: no change where there is none counts as much.
        tolerance: units by which a change may be off.
    """
    usual = float(np.mean([_stand_out(text.evidence) for text in texts])) or 1.0
    candidates = [Smoothing(penalty=factor * usual, scale=1.0, max_unknown=1.0) for factor in PENALTIES]
    hits = np.array([sum(_is_right(each, text, tolerance) for text in texts) for each in candidates])
    best = np.flatnonzero(hits == hits.max())
    chosen = candidates[int(best[len(best) // 2])]
    scaled = [replace(chosen, scale=scale / usual) for scale in SCALES]
    return min(scaled, key=lambda each: _negative_log_likelihood(each, texts))


def _stand_out(evidence: UnitEvidence) -> float:
    return float((evidence.log_odds.max(axis=1) - evidence.log_odds.mean(axis=1)).mean())


def _is_right(smoothing: Smoothing, text: LabelledUnits, tolerance: int) -> bool:
    """Whether the source changes where it should and nowhere else."""
    found, right = (np.flatnonzero(np.diff(each)) for each in (smoothing.path(text.evidence), text.sources))
    return len(found) == len(right) and bool((np.abs(found - right) <= tolerance).all())


def _negative_log_likelihood(smoothing: Smoothing, texts: Sequence[LabelledUnits]) -> float:
    right = [smoothing.posterior(text.evidence)[np.arange(len(text.sources)), text.sources] for text in texts]
    return -float(np.log(np.maximum(np.concatenate(right), SMALLEST)).mean())
