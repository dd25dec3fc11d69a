"""How many bits a probe needs for the labels (MDL probing, Voita and Titov 2020, arXiv 2003.12298).

The online (prequential) code: the labels of a first portion of the training part are sent uniformly,
``log2 C`` bits each; those of every further portion with a probe fitted on all portions before it. A
representation from which the labels can be read with little effort is coded short even by probes that saw
few samples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sip_model.analysis.probe_rows import Array, Probe, ProbeRows
from sip_model.identifiers.positives import IntArray, Positives

# The first portion is n / 2**8 samples, each further one doubles what has been sent.
NUM_DOUBLINGS = 8


@dataclass(frozen=True, slots=True)
class DescriptionLength:
    """Of n labels."""

    bits: float
    """Of all portions together."""
    uniform_bits: float
    """``n log2 C``: without a probe."""
    portions: tuple[int, ...]
    """Samples sent after each portion."""
    portion_bits: tuple[float, ...]
    """Bits of each portion."""

    @property
    def compression(self) -> float:
        """``uniform_bits / bits``: 1 where nothing is learned."""
        return self.uniform_bits / self.bits


def code_lengths(probabilities: Array, positives: Positives, num_learned: int) -> Array:
    """Bits of each sample's label under a probe, (n,).

    Args:
        probabilities: (n, C). They are mixed with the uniform distribution as ``(m p + ½) / (m + C/2)`` (the
            add-half rule of Krichevsky and Trofimov, the probe standing for its m counts): a label that the
            probe never met has a code too, and a probe of few samples isn't taken at its word.
        positives: of the n samples; of k labels each counts 1/k.
        num_learned: m samples the probe was fitted on.
    """
    rows, labels = positives.pairs(np.arange(len(positives)))
    mixed = (num_learned * probabilities[rows, labels] + 0.5) / (num_learned + probabilities.shape[1] / 2)
    bits = -np.log2(mixed) / positives.counts[rows]
    return np.bincount(rows, weights=bits, minlength=len(positives)).astype(np.float64, copy=False)


def description_length(
    train: ProbeRows, order: IntArray, fit: Callable[[ProbeRows], Probe]
) -> DescriptionLength:
    """The online code of the training part's labels.

    Args:
        train: n samples.
        order: in which they are sent, a permutation.
        fit: from the samples sent to a probe.
    """
    n = len(train)
    ends = sorted({-(-n // 2**step) for step in range(NUM_DOUBLINGS + 1)})
    bits = [ends[0] * float(np.log2(train.num_labels))]
    for start, end in pairwise(ends):
        probe, portion = fit(train.take(order[:start])), train.take(order[start:end])
        coded = code_lengths(probe.probabilities(portion.features), portion.positives, start)
        bits.append(float(coded.sum()))
    return DescriptionLength(sum(bits), n * float(np.log2(train.num_labels)), tuple(ends), tuple(bits))
