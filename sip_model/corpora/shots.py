"""Few chunks per source to learn from."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sip_model.corpora.chunking import IntArray

BoolArray = npt.NDArray[np.bool_]


def draw_per_source(
    positives: Sequence[IntArray], candidates: BoolArray, per_source: int, seed: int
) -> BoolArray:
    """Which of n chunks are drawn, (n,): of each source `per_source` of its candidates, or all it has.

    The draw of fewer is part of the draw of more. A chunk of several sources is drawn when one of them draws
    it, so such a source may end up with more.

    Args:
        positives: n arrays of source numbers.
        candidates: (n,) which chunks may be drawn.
        per_source: at least 1.
        seed: with the source's number, seeds that source's order.
    """
    of_source: dict[int, list[int]] = {}
    for chunk in np.flatnonzero(candidates).tolist():
        for source in positives[chunk].tolist():
            of_source.setdefault(source, []).append(chunk)
    drawn = np.zeros(len(positives), np.bool_)
    for source, chunks in of_source.items():
        order = np.random.default_rng([seed, source]).permutation(len(chunks))
        drawn[np.array(chunks)[order[:per_source]]] = True
    return drawn
