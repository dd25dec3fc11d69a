"""Panels of the low-dimensional distribution: a few sources and some chunks of each, drawn with a seed."""

from dataclasses import dataclass

import numpy as np

from sip_model.analysis.group_distances import IntArray

NEARLY = 0.9
"""Share of the chunks wanted that a source must have to be drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Chunks of C sources; the k-th of `sources` is class k."""

    number: int
    """Of the draw within its series, from 0."""
    sources: tuple[int, ...]
    """Source numbers of the classes, ascending."""
    rows: IntArray
    """(n,) sample numbers, ascending."""
    labels: IntArray
    """(n,) class of each sample."""


def draw_panel(groups: IntArray, num_classes: int, chunks_per_class: int, seed: int, number: int) -> Panel:
    """Draw sources, then chunks of each.

    Sources are drawn among those that have (nearly) as many chunks as wanted. Where fewer than half of all
    sources do, as many are wanted as half of them have, so that classes stay alike in size. Backbone and
    layer don't enter, so that panels of one seed show the same chunks for all of them.

    Args:
        groups: (n,) source of each sample, numbered from 0.
        num_classes: C, at most the number of sources.
        chunks_per_class: wanted of each source.
        seed: of the experiment.
        number: of the draw.
    """
    generator = np.random.default_rng([seed, number, num_classes])
    counts = np.bincount(groups)  # (G,)
    half = max(num_classes, (int(np.count_nonzero(counts)) + 1) // 2)
    wanted = min(chunks_per_class, int(np.sort(counts)[::-1][half - 1]))
    able = np.flatnonzero((counts >= NEARLY * wanted) & (counts > 0))
    sources = np.sort(generator.choice(able, num_classes, replace=False))
    drawn = [generator.permutation(np.flatnonzero(groups == source))[:wanted] for source in sources.tolist()]
    rows = np.sort(np.concatenate(drawn))
    return Panel(number, tuple(sources.tolist()), rows, np.searchsorted(sources, groups[rows]))
