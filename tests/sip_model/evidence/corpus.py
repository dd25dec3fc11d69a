"""Passages of made-up sources, with an index over them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sip_model.evidence.index import EvidenceIndex, Query, TrainingPassages
from sip_model.evidence.passages import Passage
from sip_model.identifiers.positives import Positives

NUM_SOURCES, NUM_PASSAGES, WORDS, FEATURES = 5, 60, 20, 12


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """An index and what it was made of."""

    index: EvidenceIndex
    passages: list[Passage]
    sources: list[int]
    centres: npt.NDArray[np.float32]
    """(C, D)"""

    def query(self, texts: list[str], sources: list[int], **options: object) -> Query:
        """Texts near the centres of these sources, about which the identifier knows nothing."""
        alike = np.full((len(texts), NUM_SOURCES), -np.log(NUM_SOURCES))
        return Query(texts, self.centres[sources], alike, **options)  # type: ignore[arg-type]  # `left_out` alone


def make_index(*, with_features: bool = True, seed: int = 0) -> Made:
    """Every source has favourite words, a centre and a document of its own."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(NUM_SOURCES, FEATURES)).astype(np.float32)
    sources = np.repeat(np.arange(NUM_SOURCES), NUM_PASSAGES // NUM_SOURCES)
    passages, follows, offset = [], [], 0
    for number, source in enumerate(sources.tolist()):
        is_first = number == 0 or sources[number - 1] != source
        offset = 0 if is_first else offset
        words = generator.integers(400, size=WORDS)
        text = " ".join(f"s{source}w{word % 9}" if word < 100 else f"w{word}" for word in words.tolist())
        passages.append(Passage(f"document {source}", offset, offset + len(text), text))
        follows.append(not is_first)
        offset += len(text) + 1
    features = centres[sources] + 0.5 * generator.normal(size=(NUM_PASSAGES, FEATURES)).astype(np.float32)
    training = TrainingPassages(
        passages,
        np.array(follows),
        features.astype(np.float32) if with_features else None,
        Positives.from_lists([np.array([source]) for source in sources.tolist()]),
        NUM_SOURCES,
    )
    return Made(EvidenceIndex.build(training), passages, sources.tolist(), centres)
